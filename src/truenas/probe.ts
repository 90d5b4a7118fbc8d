import http from 'node:http';
import type { TLSSocket } from 'node:tls';
import * as z from 'zod/mini';
import { connectionError, NoAnswerError, notTrueNas } from './connectionError';
import { TIMING } from './limits';
import { placeOf, type Endpoint } from './target';
import { agentFor, certificateOf, headersFor, openTls, OWN_CONNECTION } from './tls';

/** What a server shows to everybody. */
export interface ServerProbe {
  /** SHA-256 of its certificate as people compare it: `AB:CD:…`. */
  readonly fingerprint256: string;
  /** Whom the certificate names: `CN=localhost, O=iXsystems`. */
  readonly subject: string;
  /** Whether an authority that this machine trusts vouches for the certificate and the name. */
  readonly validByCa: boolean;
  /** The versions of its API: `v25.04.0`. */
  readonly versions: readonly string[];
}

/**
 * Looks at a server before it is trusted: no login, and nothing secret is sent. Reads `/api/versions`, which TrueNAS has
 * since 25.04.
 * @throws PixelsError `unsupported` when that is not there; `unreachable`; `cancelled`.
 */
export async function probeServer(host: string, port: number, signal?: AbortSignal): Promise<ServerProbe> {
  const to = { host, port };
  const limitMs = TIMING.connectLimitMs;
  const socket = await openTls({ ...to, trust: { kind: 'insecure' } }, { limitMs, signal });
  try {
    const { fingerprint256, subject } = certificateOf(socket) as { fingerprint256: string; subject?: string };
    return {
      fingerprint256,
      subject: subject?.split('\n').join(', ') ?? '',
      validByCa: socket.authorized,
      versions: versionsIn(await get(to, '/api/versions', socket, limitMs), to),
    };
  } finally {
    socket.destroy();
  }
}

const LONGEST_BODY_BYTES = 64 * 1024;
const versionsSchema = z.array(z.string().check(z.regex(/^v\d[\w.]*$/))).check(z.minLength(1));

function versionsIn({ status, body }: { status: number; body: string }, to: Endpoint): string[] {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    // a web page, or whatever else is there
  }
  const versions = z.safeParse(versionsSchema, value);
  if (status === 200 && versions.success) return versions.data;
  throw notTrueNas(placeOf(to), new Error(`/api/versions: status ${status}, ${body.length} characters`));
}

function get(
  to: Endpoint,
  path: string,
  socket: TLSSocket,
  limitMs: number,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(connectionError(error, to));
    const options = { agent: agentFor(socket), socketPath: OWN_CONNECTION, path, headers: headersFor(to) };
    const request = http.request(options, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > LONGEST_BODY_BYTES) response.destroy(notTrueNas(placeOf(to), new Error('a long answer')));
      });
      response.on('error', fail);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    const limit = setTimeout(() => request.destroy(new NoAnswerError()), limitMs);
    request.on('error', fail);
    request.on('close', () => clearTimeout(limit));
    request.end();
  });
}
