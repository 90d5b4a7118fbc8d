import type { Agent, IncomingHttpHeaders, RequestOptions } from 'node:http';
import http from 'node:http';

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long the answer may take; may be infinite. */
  readonly limitMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * A socket's path that our agent ignores. VS Code's extension host replaces the agent of every request that does not go to
 * a socket by one of its own (`http.proxySupport`), and that one knows neither the daemon's socket nor our certificates.
 */
export const OWN_CONNECTION = 'incus';

/** A connection that the server had closed before is reset at once; one that breaks later broke under the request. */
const AT_ONCE_MS = 50;

/** No answer in time. */
export class NoAnswerError extends Error {
  readonly code = 'NO_ANSWER';
}

/**
 * One request and its whole answer. A GET on a kept connection that the server had closed meanwhile is sent again once.
 * Rejects with Node's own errors, {@link NoAnswerError} or the abort error.
 */
export async function send(agent: Agent, request: HttpRequest): Promise<HttpAnswer> {
  const started = performance.now();
  const first = sendOnce(agent, request);
  try {
    return await first.answer;
  } catch (error) {
    const isReset = (error as NodeJS.ErrnoException).code === 'ECONNRESET' && performance.now() - started < AT_ONCE_MS;
    if (request.method !== 'GET' || !isReset || !first.onKeptConnection()) throw error;
    return sendOnce(agent, request).answer;
  }
}

function sendOnce(agent: Agent, request: HttpRequest): { answer: Promise<HttpAnswer>; onKeptConnection(): boolean } {
  const { method, path, headers = {}, body, signal, limitMs } = request;
  // The agent opens the connection, also where it is TLS: the address here is only for the Host header.
  // `servername` keeps Node from finding out whether that is an IP address, which takes 4 ms the first time.
  const to = { host: 'incus', servername: '', socketPath: OWN_CONNECTION };
  const options: RequestOptions = { agent, method, path, headers, ...to };
  const outgoing = http.request(signal === undefined ? options : { ...options, signal });
  const answer = new Promise<HttpAnswer>((resolve, reject) => {
    const tooLate = (): void => void outgoing.destroy(new NoAnswerError());
    const limit = Number.isFinite(limitMs) ? setTimeout(tooLate, limitMs) : undefined;
    outgoing.on('error', (error) => {
      clearTimeout(limit);
      reject(error);
    });
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('close', () => clearTimeout(limit));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    outgoing.end(body);
  });
  return { answer, onKeptConnection: () => outgoing.reusedSocket };
}
