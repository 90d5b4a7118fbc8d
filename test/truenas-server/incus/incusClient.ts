import http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { CallError } from '../rpc/errors';

const PROGRESS_EVERY_MS = 300;
/** `incus_wait` of the middleware. */
const LONGEST_S = 300;

export interface IncusAnswer {
  readonly type: 'sync' | 'async' | 'error';
  readonly error: string;
  readonly errorCode: number;
  readonly metadata: unknown;
}

/** The Incus daemon behind the NAS, as the middleware calls it (MW:plugins/virt/utils.py): its errors become CallErrors. */
export class IncusClient {
  private readonly agent = new http.Agent({ keepAlive: true });

  constructor(
    readonly socket: string,
    readonly project: string,
  ) {}

  /** The answer's metadata; throws a {@link CallError} with Incus' own text. */
  async call(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await this.send(method, path, body);
    if (answer.type === 'error') throw new CallError(answer.error);
    return answer.metadata;
  }

  /** The same, but undefined for what is not there. */
  async find(path: string): Promise<unknown> {
    const answer = await this.send('GET', path);
    if (answer.type === 'error' && answer.errorCode === 404) return undefined;
    if (answer.type === 'error') throw new CallError(answer.error);
    return answer.metadata;
  }

  /** Starts an operation and waits for it; `progress` hears its metadata while it runs. */
  async run(
    method: string,
    path: string,
    body?: unknown,
    progress?: (metadata: Record<string, unknown>) => void,
  ): Promise<void> {
    const answer = await this.send(method, path, body);
    if (answer.type === 'error') throw new CallError(answer.error);
    if (answer.type === 'sync') return;
    const { id } = answer.metadata as { id: string };
    const watching = progress && setInterval(() => void this.report(id, progress), PROGRESS_EVERY_MS);
    const waited = await this.send('GET', `/1.0/operations/${id}/wait?timeout=${LONGEST_S}`).finally(() =>
      clearInterval(watching),
    );
    if (waited.type === 'error') {
      throw new CallError(waited.error === 'context deadline exceeded' ? 'Timed out' : waited.error);
    }
    const { status_code: status, err } = waited.metadata as Operation;
    if (status >= 400) throw new CallError(err);
  }

  /** One answer. A question that meets an instance between two states ("Invalid PID", 6.0.4) is asked again: that is no NAS's fault. */
  async send(method: string, path: string, body?: unknown): Promise<IncusAnswer> {
    for (let triesLeft = 200; ; triesLeft--) {
      const answer = await this.sendOnce(method, path, body);
      const isPassing = method === 'GET' && answer.type === 'error' && answer.error.startsWith('Invalid PID');
      if (!isPassing || triesLeft === 0) return answer;
      await delay(50);
    }
  }

  private sendOnce(method: string, path: string, body?: unknown): Promise<IncusAnswer> {
    const target = `${path}${path.includes('?') ? '&' : '?'}project=${encodeURIComponent(this.project)}`;
    return new Promise((resolve, reject) => {
      const request = http.request({ socketPath: this.socket, method, path: target, agent: this.agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => resolve(parsed(Buffer.concat(chunks).toString())));
      });
      request.on('error', reject);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  private async report(id: string, progress: (metadata: Record<string, unknown>) => void): Promise<void> {
    const operation = (await this.send('GET', `/1.0/operations/${id}`)).metadata as Operation | null;
    if (operation?.metadata) progress(operation.metadata);
  }

  close(): void {
    this.agent.destroy();
  }
}

interface Operation {
  readonly status_code: number;
  readonly err: string;
  readonly metadata: Record<string, unknown> | null;
}

function parsed(text: string): IncusAnswer {
  const { type, error, error_code: errorCode, metadata } = JSON.parse(text) as Record<string, unknown>;
  return {
    type: type as IncusAnswer['type'],
    error: typeof error === 'string' ? error : '',
    errorCode: Number(errorCode ?? 0),
    metadata,
  };
}
