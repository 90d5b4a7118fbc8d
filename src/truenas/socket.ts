import WebSocket from 'ws';
import { PixelsError } from '../sandbox/errors';
import { connectionError, UpgradeRefusedError } from './connectionError';
import { LONGEST_ANSWER_BYTES } from './limits';
import { placeOf, type Endpoint, type Trust } from './target';
import { agentFor, headersFor, openTls, OWN_CONNECTION, type TlsOptions } from './tls';

/** A WebSocket that is about to open: listen before the next turn of the event loop, then wait for {@link opened}. */
export interface OpeningSocket {
  readonly socket: WebSocket;
  /** The server's IP address. */
  readonly address: string | undefined;
  /** @throws PixelsError `unreachable`, `unsupported`. */
  readonly opened: Promise<void>;
}

/**
 * Starts a WebSocket over a TLS connection of our own. There is no way from here to a connection without TLS, and no
 * redirect is followed.
 * @throws PixelsError `config`, `unreachable`, `cancelled`.
 */
export async function openSocket(
  to: Endpoint & { trust: Trust },
  path: string,
  options: TlsOptions,
): Promise<OpeningSocket> {
  const { limitMs } = options;
  const connection = await openTls(to, options);
  const socket = new WebSocket(`ws+unix:${OWN_CONNECTION}:${path}`, {
    agent: agentFor(connection),
    headers: headersFor(to),
    followRedirects: false,
    handshakeTimeout: limitMs,
    maxPayload: LONGEST_ANSWER_BYTES,
    perMessageDeflate: false,
    // A mask of zeros, which ws then skips. Masks keep browsers from fooling proxies; here they only cost time.
    generateMask: () => undefined,
  });
  const opened = new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('unexpected-response', (_, response) => {
      socket.terminate(); // not only its request: then `close` would never come
      reject(connectionError(new UpgradeRefusedError(response.statusCode ?? 0), to));
    });
    socket.on('error', (error) => reject(connectionError(error, to)));
    socket.once('close', (code) => reject(closedBy(to, code)));
  });
  opened.catch(() => undefined); // whoever gives up before it has opened does not ask
  return { socket, address: connection.remoteAddress, opened };
}

const NOT_ALLOWED = 1008;
const NOT_UNDERSTOOD: readonly number[] = [1002, 1003, 1007, 1009];

/**
 * Why a WebSocket ended, by the code of its close frame (1006 where there was none). The frame's text is not looked at:
 * it may repeat a secret.
 */
export function closedBy(to: Endpoint, code: number): PixelsError {
  const place = placeOf(to);
  const cause = new Error(`closed with ${code}`);
  if (code === NOT_ALLOWED) {
    return new PixelsError('forbidden', `TrueNAS at ${place} does not let this machine in.`, {
      hint: "Add this machine's address to the allowed IP addresses in TrueNAS' GUI settings.",
      cause,
    });
  }
  if (NOT_UNDERSTOOD.includes(code)) {
    return new PixelsError('protocol', `TrueNAS at ${place} and Pixels do not understand each other.`, { cause });
  }
  return connectionError(cause, to);
}
