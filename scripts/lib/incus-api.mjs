/**
 * The few calls of Incus' REST API that the set-up needs. The product has its own client in src/incus; this one has no
 * dependency, since it runs before `npm ci`.
 */
import { createReadStream, statSync } from 'node:fs';
import http from 'node:http';

/** An answer of the daemon with an error status. */
export class IncusError extends Error {
  constructor(status, message, request) {
    super(`Incus: ${message} (${request})`);
    this.status = status;
  }
}

/**
 * Sends a request to the daemon at `socket`, waits for the operation when it starts one, and returns the `metadata`. `body`
 * is an object (sent as JSON) or `{ file, headers }` (sent as it is). An answer may take `limitMs`, an operation ten minutes.
 */
export async function request(socket, method, path, body, { limitMs = body?.file ? 600_000 : 60_000, signal } = {}) {
  const limits = [AbortSignal.timeout(limitMs), ...(signal ? [signal] : [])];
  const answer = await send(socket, method, path, body, AbortSignal.any(limits));
  if (answer.type === 'error') throw new IncusError(answer.error_code, answer.error, `${method} ${path}`);
  if (answer.type !== 'async') return answer.metadata;
  const operation = await request(socket, 'GET', `${answer.operation}/wait?timeout=600`, undefined, {
    limitMs: 620_000,
  });
  if (operation.status_code >= 400) throw new IncusError(operation.status_code, operation.err, `${method} ${path}`);
  return operation.metadata;
}

/** The same, but null where the daemon says 404. */
export async function find(socket, path) {
  try {
    return await request(socket, 'GET', path);
  } catch (error) {
    if (error instanceof IncusError && error.status === 404) return null;
    throw error;
  }
}

/** Why the daemon cannot be used, as an errno code ('ENOENT', 'ECONNREFUSED', 'EACCES'), or null when it answers. */
export async function reachability(socket) {
  try {
    await request(socket, 'GET', '/1.0', undefined, { limitMs: 10_000 });
    return null;
  } catch (error) {
    return error.code ?? error.message;
  }
}

/** Whether the daemon takes changes: one that is shutting down, or hangs, may still answer questions. */
export async function takesChanges(socket) {
  return request(socket, 'POST', '/1.0/projects', { name: '' }, { limitMs: 10_000 }).catch(
    (error) => error.status === 400, // a project without a name is refused by a daemon that works
  );
}

function send(socketPath, method, path, body, signal) {
  const json = body && !body.file ? JSON.stringify(body) : undefined;
  const headers = body?.file
    ? { 'Content-Type': 'application/octet-stream', 'Content-Length': statSync(body.file).size, ...body.headers }
    : json
      ? { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(json) }
      : {};
  return new Promise((resolve, reject) => {
    const outgoing = http.request({ socketPath, method, path, headers, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      response.on('end', () => {
        try {
          resolve(JSON.parse(text));
        } catch {
          reject(new IncusError(response.statusCode, text.slice(0, 200), `${method} ${path}`));
        }
      });
      response.on('error', (error) => reject(signal.aborted ? signal.reason : error));
    });
    outgoing.on('error', (error) => reject(signal.aborted ? signal.reason : error));
    if (body?.file) createReadStream(body.file).on('error', reject).pipe(outgoing);
    else outgoing.end(json);
  });
}
