import os from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type { ExecSession } from '../sandbox/host';
import type { Cli } from './cli';

/**
 * Carries a command's three streams unchanged, each at the pace of its slower end, and signals to the command. Ends with
 * the command, also when somebody keeps our standard input open.
 * @returns the exit code. Rejects when the connection breaks.
 */
export async function passThrough(cli: Cli, session: ExecSession): Promise<number> {
  const { stdin, stdout, stderr } = cli.terminal.streams;
  cli.interruption.forwardTo((signal) => session.signal(os.constants.signals[signal]));
  session.stdin.on('error', () => undefined); // the command has closed its input, or ended
  stdin.once('error', () => session.stdin.end());
  stdin.pipe(session.stdin);
  const said = Promise.all([
    carryOutput(session.stdout, stdout, session),
    carryOutput(session.stderr, stderr, session),
  ]);
  try {
    const exitCode = await session.exitCode;
    await said;
    return exitCode;
  } finally {
    stdin.unpipe(session.stdin);
  }
}

/** Resolves when everything has been handed on, or can no longer be: then the command is hung up on, as by a closed pipe. */
function carryOutput(from: Readable, to: Writable, session: ExecSession): Promise<void> {
  return new Promise((resolve) => {
    from
      .once('end', resolve)
      .once('error', () => resolve())
      .once('close', resolve);
    to.once('error', () => {
      session.close();
      resolve();
    });
    from.pipe(to, { end: false });
  });
}
