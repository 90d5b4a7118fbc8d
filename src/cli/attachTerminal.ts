import type { ExecSession } from '../sandbox/host';
import type { Cli } from './cli';

/** The size of this terminal. */
export function terminalSize({ terminal }: Cli): { columns: number; rows: number } {
  const { columns = 80, rows = 24 } = terminal.streams.stdout;
  return { columns, rows };
}

/**
 * Puts this terminal on a session with a terminal of its own, until that ends: every key goes there, Ctrl-C too, and its
 * size follows. However it ends, this terminal is as it was before.
 * @returns the exit code.
 */
export async function attachTerminal(cli: Cli, session: ExecSession): Promise<number> {
  const { stdin, stdout } = cli.terminal.streams;
  const resize = () => {
    const { columns, rows } = terminalSize(cli);
    session.resize(columns, rows);
  };
  const restore = () => stdin.setRawMode?.(false);
  const hangUp = () => session.close();
  cli.terminal.wipe();
  cli.interruption.forwardTo(hangUp);
  process.once('exit', restore);
  stdin.setRawMode?.(true);
  await leaveOutputAlone();
  try {
    stdout.on('resize', resize);
    stdout.once('error', hangUp);
    session.stdin.on('error', () => undefined); // it has ended; its exit code tells
    stdin.pipe(session.stdin);
    session.stdout.pipe(stdout, { end: false });
    const [exitCode] = await Promise.all([session.exitCode, ended(session.stdout)]);
    return exitCode;
  } finally {
    stdin.unpipe(session.stdin);
    stdout.off('resize', resize);
    process.off('exit', restore);
    restore();
  }
}

/**
 * Node's raw mode still turns a line feed into carriage return and line feed, and full-screen programs then find the cursor in
 * the wrong column. The end of raw mode takes this back as well.
 */
async function leaveOutputAlone(): Promise<void> {
  if (process.platform === 'win32') return;
  const { spawnSync } = await import('node:child_process');
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
}

function ended(stream: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve) => {
    stream.once('end', resolve).once('close', resolve).once('error', resolve);
  });
}
