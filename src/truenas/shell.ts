import type WebSocket from 'ws';
import * as z from 'zod/mini';
import { PixelsError } from '../sandbox/errors';
import type { Log } from '../sandbox/log';
import type { Shell, ShellOptions, TrueNasApi } from './api';
import { Errno, refused, TrueNasRefusal } from './errors';
import type { Timing } from './limits';
import { streamOver } from './shellStream';
import { closedBy, openSocket } from './socket';
import type { TrueNasTarget } from './target';
import { within } from './within';

/** What a shell needs of the session. */
export interface ShellHost extends Pick<TrueNasApi, 'call'> {
  readonly target: TrueNasTarget;
  readonly timing: Timing;
  readonly log: Log;
  /** Ends every shell. */
  readonly closing: AbortSignal;
  /** The server's IP address on the connection there is. */
  address(): string | undefined;
}

const PATH = '/websocket/shell';
const TOKEN_LIFE_S = 300;

/** See `TrueNasApi.shell`. */
export async function openShell(host: ShellHost, options: ShellOptions, signal?: AbortSignal): Promise<Shell> {
  const { target, timing, log } = host;
  const started = performance.now();
  // Only for this address and only once; without "once", high security settings allow no token at all.
  const token = host.call('auth.generate_token', [TOKEN_LIFE_S, {}, true, true], z.string(), { signal });
  token.catch(() => undefined); // the socket is waited for first
  // From the same address as the token was asked for: a host with several may be reached from another of ours.
  if (host.address() === undefined) await token; // which connects
  const connect = { limitMs: timing.connectLimitMs, signal, address: host.address() };
  const { socket, opened } = await openSocket(target, PATH, connect);
  const close = (): void => socket.terminate();
  host.closing.addEventListener('abort', close);
  socket.once('close', () => host.closing.removeEventListener('abort', close));
  try {
    const connected = handshake(socket, target);
    await within(opened, { signal });
    socket.send(JSON.stringify({ token: await token, options }));
    const shell = await within(connected, { signal, limitMs: timing.callLimitMs, tooLate: noShell });
    log.trace(`truenas shell ${(performance.now() - started).toFixed(1)} ms`);
    return {
      stream: shell.stream,
      resize: async (columns, rows) => {
        await host.call('core.resize_shell', [shell.id, size(columns), size(rows)], z.unknown());
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}

const helloSchema = z.union([
  z.object({ msg: z.literal('connected'), id: z.string() }),
  z.object({
    msg: z.literal('failed'),
    error: z.catch(z.object({ error: z.catch(z.optional(z.number()), undefined), reason: z.catch(z.string(), '') }), {
      error: undefined,
      reason: '',
    }),
  }),
]);

/** The first message says whether there is a shell. Its first bytes may come right behind. */
function handshake(socket: WebSocket, target: TrueNasTarget): Promise<Pick<Shell, 'stream'> & { id: string }> {
  const answer = new Promise<Pick<Shell, 'stream'> & { id: string }>((resolve, reject) => {
    socket.once('message', (data: Buffer, isBinary) => {
      const hello = isBinary ? undefined : parseHello(data.toString('utf8'));
      if (hello === undefined) {
        reject(new PixelsError('protocol', 'TrueNAS answered with something that is no shell.'));
      } else if (hello.msg === 'failed') {
        reject(failure(hello.error.error, hello.error.reason));
      } else {
        const stream = streamOver(socket, (code) => closedBy(target, code));
        resolve({ id: hello.id, stream });
      }
    });
    socket.once('close', (code) => reject(closedEarly(target, code)));
  });
  answer.catch(() => undefined); // whoever gives up before does not ask
  return answer;
}

function parseHello(text: string): z.infer<typeof helloSchema> | undefined {
  try {
    return z.parse(helloSchema, JSON.parse(text));
  } catch {
    return undefined;
  }
}

function failure(errno: number | undefined, reason: string): PixelsError {
  const refusal = new TrueNasRefusal('shell', { errno, reason });
  if (errno === Errno.ENOTAUTHENTICATED) {
    return new PixelsError('forbidden', 'TrueNAS does not accept its own token for a shell.', {
      hint: 'Connections to it must come from one address: see whether a proxy or a NAT is in between. Then try again.',
      cause: refusal,
    });
  }
  if (errno === Errno.EACCES || errno === Errno.EPERM) {
    return new PixelsError('forbidden', "The API key's user may not open a shell on TrueNAS.", {
      hint: 'Give the user a privilege with "Web Shell Access", and the role to write to containers.',
      cause: refusal,
    });
  }
  return refused(refusal);
}

const POLICY = 1008;

function closedEarly(target: TrueNasTarget, code: number): PixelsError {
  const why = closedBy(target, code);
  if (code === POLICY) return why;
  return new PixelsError('failed', 'TrueNAS closed the shell before it was open.', {
    hint: 'See whether the sandbox is running.',
    cause: why,
  });
}

function noShell(): PixelsError {
  return new PixelsError('timeout', 'TrueNAS opens no shell.', {
    hint: 'See whether it is overloaded, then try again.',
  });
}

/** As many columns or rows as a terminal can have. */
function size(count: number): number {
  return Math.min(65_535, Math.max(1, Math.trunc(count) || 1));
}
