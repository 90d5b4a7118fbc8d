import type { Pixels } from '../app/pixels';
import { sentence, toPixelsError } from '../sandbox/errors';
import type { Cli } from './cli';

/** Brings ~/.ssh/pixels up to date. A failure is only a warning: what was asked for has been done. */
export async function updateSshFiles(cli: Cli, pixels: Pixels): Promise<void> {
  try {
    await pixels.syncSsh(await pixels.host.list(cli.run.signal));
  } catch (error) {
    cli.terminal.say(`pixels: The SSH files could not be written. ${sentence(toPixelsError(error))}`);
  }
}
