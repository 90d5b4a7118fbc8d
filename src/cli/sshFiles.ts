import type { Pixels } from '../app/pixels';
import { sentence, toPixelsError } from '../sandbox/errors';
import type { Sandbox } from '../sandbox/sandbox';
import type { Cli } from './cli';

/** Whoever writes without an end keeps nobody here. */
const MOST_TRIES = 3;

/**
 * Brings ~/.ssh/pixels up to date. Another process may have listed the sandboxes before and write after us, and the other way round:
 * so whoever has written looks once more. A failure is only a warning: what was asked for has been done.
 */
export async function updateSshFiles(cli: Cli, pixels: Pixels): Promise<void> {
  try {
    let sandboxes = await pixels.host.list(cli.run.signal);
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      await pixels.syncSsh(sandboxes);
      const now = await pixels.host.list(cli.run.signal);
      if (inFiles(now) === inFiles(sandboxes)) return;
      sandboxes = now;
    }
  } catch (error) {
    cli.terminal.say(`pixels: The SSH files could not be written. ${sentence(toPixelsError(error))}`);
  }
}

/** What the files have of them. */
function inFiles(sandboxes: readonly Sandbox[]): string {
  return JSON.stringify(
    sandboxes.map(({ name, state, addresses }) => [name, state.sshUser, state.hostKey, addresses[0]]),
  );
}
