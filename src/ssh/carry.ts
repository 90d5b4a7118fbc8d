import type { Readable, Writable } from 'node:stream';
import type { ExecSession } from '../sandbox/host';

export interface Streams {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** After one side has ended, the other gets this long to do the same. */
const GRACE_MS = 3000;
/** When we are told to end. sshd needs a moment to close the login session; a broken connection would kill it. */
const HANG_UP_MS = 500;

/** What ssh itself returns when a connection ends without a word. */
export const EXIT_NO_CONNECTION = 255;

/**
 * Carries a session's streams until both sides have ended, at the pace of the slower one. When one side ends, or goes
 * away, the other is told and waited for, but not for ever.
 * @param signal ends it from our side.
 * @returns the session's exit code, or 255 when our side ended it. Rejects when the connection to the server breaks.
 */
export async function carry(session: ExecSession, streams: Streams, signal?: AbortSignal): Promise<number> {
  const hungUp = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const closeAfter = (delayMs: number) => timers.push(setTimeout(() => session.close(), delayMs));
  const hangUp = () => {
    hungUp.abort();
    streams.stdin.unpipe(session.stdin);
    session.stdin.end();
    closeAfter(HANG_UP_MS);
  };

  const allSaid = new Promise<void>((resolve) => {
    session.stdout.once('close', resolve).once('end', resolve).once('error', resolve);
    streams.stdout.once('error', () => resolve());
  });
  streams.stdin.once('end', () => closeAfter(GRACE_MS));
  streams.stdin.once('error', hangUp);
  streams.stdout.once('error', hangUp); // nobody reads any more
  session.stdin.on('error', () => closeAfter(GRACE_MS)); // sshd has ended; what it said last is still to come
  signal?.addEventListener('abort', hangUp, { once: true });
  streams.stdin.pipe(session.stdin);
  session.stderr.pipe(streams.stderr, { end: false });
  session.stdout.pipe(streams.stdout, { end: false });

  try {
    const exitCode = await session.exitCode;
    await allSaid;
    await flushed(streams.stdout);
    return hungUp.signal.aborted ? EXIT_NO_CONNECTION : exitCode;
  } catch (error) {
    if (hungUp.signal.aborted) return EXIT_NO_CONNECTION;
    throw error;
  } finally {
    timers.forEach(clearTimeout);
    signal?.removeEventListener('abort', hangUp);
    streams.stdin.unpipe(session.stdin);
  }
}

/** Until everything written so far has gone to the system, or cannot. */
function flushed(stream: Writable): Promise<void> {
  if (stream.destroyed || stream.writableLength === 0) return Promise.resolve();
  return new Promise((resolve) => {
    stream.write('', () => resolve());
    stream.once('error', () => resolve());
  });
}
