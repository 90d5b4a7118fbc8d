import http from 'node:http';

/** An answer of the daemon, unparsed but for its JSON. */
export interface RawAnswer {
  readonly status: number;
  readonly metadata: unknown;
  readonly error: string;
}

/**
 * The daemon's API without any of our code in between: what tests compare with, and the outsider who changes things behind
 * Pixels' back. Asynchronous answers are waited for.
 */
export class RawIncus {
  private readonly agent = new http.Agent({ keepAlive: true });

  constructor(
    readonly socket: string,
    readonly project = 'default',
  ) {}

  async request(method: string, path: string, body?: unknown): Promise<RawAnswer> {
    const answer = await this.once(method, path, body);
    if (answer.type !== 'async') return { status: answer.status, metadata: answer.metadata, error: answer.error };
    const { id } = answer.metadata as { id: string };
    const done = await this.once('GET', `/1.0/operations/${id}/wait?timeout=120`);
    if (done.type === 'error') return done; // so says the daemon, with HTTP's 200, of an operation that failed
    const operation = done.metadata as { status_code: number; err: string; metadata: unknown };
    return { status: operation.status_code, metadata: operation.metadata, error: operation.err };
  }

  /** Like {@link request}, and throws when the daemon says no. */
  async must(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await this.request(method, path, body);
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${answer.error}`);
    return answer.metadata;
  }

  close(): void {
    this.agent.destroy();
  }

  /** Like {@link request}, but an asynchronous answer is returned as it is. */
  once(method: string, path: string, body?: unknown): Promise<RawAnswer & { type: string }> {
    const separator = path.includes('?') ? '&' : '?';
    const target = `${path}${separator}project=${this.project}`;
    return new Promise((resolve, reject) => {
      const request = http.request({ socketPath: this.socket, method, path: target, agent: this.agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const answer = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
          resolve({
            type: String(answer.type),
            status: answer.type === 'error' ? Number(answer.error_code) : (response.statusCode ?? 0),
            metadata: answer.metadata,
            error: typeof answer.error === 'string' ? answer.error : '',
          });
        });
      });
      request.on('error', reject);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}
