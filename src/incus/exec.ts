import { Readable } from 'node:stream';
import type WebSocket from 'ws';
import { cancelled, PixelsError } from '../sandbox/errors';
import type { ExecRequest, ExecSession } from '../sandbox/host';
import type { IncusApi } from './api';
import { isRefusal, type About } from './errors';
import { ended, inputTo, opened, outputFrom } from './execStreams';
import { untilFinished } from './operation';
import { instancePath } from './state';
import { execResultSchema, execSchema, operationSchema, parseWire, type Operation } from './wire';

const SIGHUP = 1;

/** How long a command may tidy up after a hang-up. Then Incus kills it, as it does when the client dies. */
const HANGUP_MS = 1_000;

/** How long after the end of all output a command that was sent a signal may go on. */
const AFTER_OUTPUT_MS = 2_000;

/** Incus' end of a stream is an empty text frame. */
const END_OF_STREAM = '';

/** A terminal's input ends with this character (while the program inside has not turned that off). */
const END_OF_TRANSMISSION = Buffer.from([4]);

/**
 * See `SandboxHost.exec`. Returns as soon as Incus has agreed; the streams connect meanwhile, those of a terminal before, and
 * Incus starts the command when they have.
 */
export async function exec(
  api: IncusApi,
  instance: string,
  about: About,
  request: ExecRequest,
  signal?: AbortSignal,
): Promise<ExecSession> {
  const path = `${instancePath(instance)}/exec`;
  const [openWebSocket, { metadata }] = await Promise.all([
    api.webSockets(),
    api.request('POST', path, { body: bodyOf(request), about, signal }),
  ]);
  const { id, metadata: details } = parseWire(operationSchema, metadata, `POST ${path}`);
  const { fds } = parseWire(execSchema, details, `POST ${path}`);
  const open = (fd: string): WebSocket => {
    const secret = fds[fd];
    if (secret === undefined) throw new PixelsError('protocol', `Incus gave no stream "${fd}" for the command.`);
    // Incus asks at once whether we are there, and waits for no answer. One to a command that has already ended fails, and then
    // ws drops what had been printed: all of it, in one command of some hundred on a busy machine.
    return openWebSocket(`/operations/${id}/websocket`, { secret }, `exec ${fd}`, { answersPings: false });
  };
  const tty = request.tty !== undefined;
  const input = open('0');
  const output = tty ? input : open('1');
  const errors = tty ? undefined : open('2');
  const sockets = new Set([input, output, errors ?? output]);

  const terminate = (): void => sockets.forEach((socket) => socket.terminate());
  const over = new AbortController();
  const finished = Promise.race([untilFinished(api, id, about, Infinity), failureOf(api, input, output, errors)]);
  const printed = Promise.all([output, errors ?? output].map(ended));

  // A terminal's command begins when it has this stream too. Any other gets it with the first signal: where the stream comes just
  // as the command ends, Incus (6.0.4) waits for good for its end.
  const control = once(() => {
    const socket = open('control');
    sockets.add(socket);
    if (!tty) void printed.then(() => setTimeout(() => socket.terminate(), AFTER_OUTPUT_MS).unref());
    return { socket, ready: opened(socket) };
  });
  if (tty) control();
  /** Resolves when it is on its way, or will never be. */
  const send = async (message: object): Promise<void> => {
    if (over.signal.aborted) return;
    const { socket, ready } = control();
    await ready;
    await new Promise<void>((resolve) => socket.send(JSON.stringify(message), () => resolve()));
  };
  const hangUp = async (): Promise<void> => {
    setTimeout(terminate, HANGUP_MS).unref();
    await send({ command: 'signal', signal: SIGHUP });
  };

  const cancelling = new Promise<never>((_, reject) => {
    // Who has cancelled may end this process at once: the hang-up goes first.
    const cancel = (): void => void hangUp().then(() => reject(cancelled()));
    if (signal?.aborted === true) cancel();
    else signal?.addEventListener('abort', cancel, { signal: over.signal });
  });
  const exitCode = exitCodeOf(finished, printed, cancelling).finally(() => {
    over.abort();
    // The command gets its time to tidy up, also when nobody waits any more.
    if (signal?.aborted === true) void finished.then(terminate, terminate);
    else terminate();
  });
  exitCode.catch(() => undefined); // nobody has to ask for it

  const lastWords = finished.then(
    () => '',
    (error: unknown) => complaint(request, error),
  );
  const session: ExecSession = {
    stdin: inputTo(input, tty ? END_OF_TRANSMISSION : END_OF_STREAM),
    stdout: outputFrom(output, tty ? lastWords : nothing, { closesAtEnd: tty }),
    stderr: errors === undefined ? Readable.from([]) : outputFrom(errors, lastWords, { closesAtEnd: false }),
    exitCode,
    resize: (columns, rows) => {
      if (tty) void send({ command: 'window-resize', args: { width: String(columns), height: String(rows) } });
    },
    signal: (number) => void send({ command: 'signal', signal: number }),
    close: () => void hangUp(),
  };
  // Whoever takes a terminal may be stopped for it, as in the background of a shell, and Incus (6.0) lets nobody in while
  // somebody who has connected to its socket says nothing.
  if (tty) await Promise.all([...sockets].map(opened));
  return session;
}

const nothing = Promise.resolve('');

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function bodyOf({ command, env = {}, cwd, uid, gid, tty }: ExecRequest): object {
  return {
    command,
    environment: tty === undefined ? env : { TERM: 'xterm-256color', ...env },
    interactive: tty !== undefined,
    ...(tty === undefined ? {} : { width: tty.columns, height: tty.rows }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(uid === undefined ? {} : { user: uid }),
    ...(gid === undefined ? {} : { group: gid }),
    'wait-for-websocket': true,
  };
}

/** Rejects when a stream breaks off. Not the control stream: a signal may come too late for its command. */
function failureOf(api: IncusApi, ...sockets: (WebSocket | undefined)[]): Promise<never> {
  return new Promise((_, reject) => {
    for (const socket of sockets) socket?.once('error', (error) => reject(api.brokenConnection(error)));
  });
}

/** The exit code, after everything that was printed has arrived. */
async function exitCodeOf(
  finished: Promise<Operation>,
  printed: Promise<unknown>,
  cancelling: Promise<never>,
): Promise<number> {
  try {
    const { metadata } = await Promise.race([finished, cancelling]);
    await Promise.race([printed, cancelling]);
    return parseWire(execResultSchema, metadata, 'exec').return;
  } catch (error) {
    const code = shellCode(error);
    if (code === undefined) throw error;
    return code;
  }
}

/** A command that cannot be started is reported as a shell would: by the exit code and a line on standard error. */
function shellCode(error: unknown): 126 | 127 | undefined {
  if (isRefusal(error, 'no-such-command')) return 127;
  return isRefusal(error, 'not-executable') ? 126 : undefined;
}

function complaint({ command, tty }: ExecRequest, error: unknown): string {
  const code = shellCode(error);
  if (code === undefined) return '';
  const reason = code === 127 ? 'command not found' : 'cannot be executed';
  return `${command[0] ?? ''}: ${reason}${tty === undefined ? '\n' : '\r\n'}`;
}
