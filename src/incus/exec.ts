import { Readable } from 'node:stream';
import type WebSocket from 'ws';
import { cancelled, PixelsError } from '../sandbox/errors';
import type { ExecRequest, ExecSession } from '../sandbox/host';
import { instanceName, type SandboxName } from '../sandbox/name';
import type { IncusApi } from './api';
import { isRefusal } from './errors';
import { ended, inputTo, opened, outputFrom } from './execStreams';
import { untilFinished } from './operation';
import { instancePath } from './state';
import { execResultSchema, execSchema, operationSchema, parseWire, type Operation } from './wire';

const SIGHUP = 1;

/** How long a command may tidy up after a hang-up. Then Incus kills it, as it does when the client dies. */
const HANGUP_MS = 1_000;

/** Incus' end of a stream is an empty text frame. */
const END_OF_STREAM = '';

/** A terminal's input ends with this character (while the program inside has not turned that off). */
const END_OF_TRANSMISSION = Buffer.from([4]);

/**
 * See `SandboxHost.exec`. Returns as soon as Incus has agreed; the streams connect meanwhile, and Incus starts the command
 * when they have.
 */
export async function exec(
  api: IncusApi,
  name: SandboxName,
  request: ExecRequest,
  signal?: AbortSignal,
): Promise<ExecSession> {
  const path = `${instancePath(instanceName(name))}/exec`;
  const { metadata } = await api.request('POST', path, { body: bodyOf(request), about: { name }, signal });
  const { id, metadata: details } = parseWire(operationSchema, metadata, `POST ${path}`);
  const { fds } = parseWire(execSchema, details, `POST ${path}`);
  const open = (fd: string): WebSocket => {
    const secret = fds[fd];
    if (secret === undefined) throw new PixelsError('protocol', `Incus gave no stream "${fd}" for the command.`);
    return api.openWebSocket(`/operations/${id}/websocket`, { secret }, `exec ${fd}`);
  };
  const tty = request.tty !== undefined;
  const control = open('control');
  const input = open('0');
  const output = tty ? input : open('1');
  const errors = tty ? undefined : open('2');
  const sockets = new Set([control, input, output, errors ?? output]);

  const finished = Promise.race([untilFinished(api, id, { name }, Infinity), failureOf(api, input, output, errors)]);
  const exitCode = exitCodeOf(finished, [output, errors ?? output], signal).finally(() => {
    signal?.removeEventListener('abort', close);
    sockets.forEach((socket) => socket.terminate());
  });
  exitCode.catch(() => undefined); // nobody has to ask for it

  const controllable = opened(control);
  const send = (message: object): void => void controllable.then(() => control.send(JSON.stringify(message), ignore));
  function close(): void {
    send({ command: 'signal', signal: SIGHUP });
    setTimeout(() => sockets.forEach((socket) => socket.terminate()), HANGUP_MS).unref();
  }
  signal?.addEventListener('abort', close);

  const lastWords = finished.then(
    () => '',
    (error: unknown) => complaint(request, error),
  );
  return {
    stdin: inputTo(input, tty ? END_OF_TRANSMISSION : END_OF_STREAM),
    stdout: outputFrom(output, tty ? lastWords : nothing),
    stderr: errors === undefined ? Readable.from([]) : outputFrom(errors, lastWords),
    exitCode,
    resize: (columns, rows) =>
      send({ command: 'window-resize', args: { width: String(columns), height: String(rows) } }),
    signal: (number) => send({ command: 'signal', signal: number }),
    close,
  };
}

const nothing = Promise.resolve('');

function ignore(): void {
  // a command that has ended takes no more signals
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

/** Rejects when a stream breaks off. Not the control stream: it may come too late for a command that is quickly done. */
function failureOf(api: IncusApi, ...sockets: (WebSocket | undefined)[]): Promise<never> {
  return new Promise((_, reject) => {
    for (const socket of sockets) socket?.once('error', (error) => reject(api.brokenConnection(error)));
  });
}

/** The exit code, after everything that was printed has arrived. */
async function exitCodeOf(
  finished: Promise<Operation>,
  outputs: readonly WebSocket[],
  signal: AbortSignal | undefined,
): Promise<number> {
  const printed = Promise.all(outputs.map(ended));
  const aborted = new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(cancelled())));
  try {
    const { metadata } = await Promise.race([finished, aborted]);
    await Promise.race([printed, aborted]);
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
