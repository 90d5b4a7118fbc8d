import { causeChain, toPixelsError, type PixelsError } from '../sandbox/errors';
import { HiddenValues } from '../sandbox/hiddenValues';
import { Cli } from './cli';
import { parseCommandLine } from './commandLine';
import { PIXELS } from './commands';
import type { GlobalFlags } from './globalOptions';
import { helpText } from './help';
import { Interruption } from './interruption';
import { Terminal, type ProcessLike } from './terminal';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

export interface MainOptions {
  readonly process: ProcessLike;
  readonly dist: string;
}

/** Runs one command line and returns the exit code: 0, 1 when it failed, 2 when it was typed wrong, or a command's own. */
export async function main(args: readonly string[], { process, dist }: MainOptions): Promise<number> {
  const terminal = new Terminal(process);
  const hidden = new HiddenValues();
  let flags: GlobalFlags = {};
  const interruption = new Interruption(() =>
    terminal.say('Cancelling; what was begun is undone. Again to stop at once.'),
  );
  try {
    const line = parseCommandLine(PIXELS, args);
    if (line.kind === 'version') {
      terminal.print(`pixels ${PIXELS_VERSION}\n`);
      return 0;
    }
    if (line.kind === 'help') {
      if (line.asked) terminal.print(helpText(line.path));
      else terminal.say(helpText(line.path).trimEnd());
      return line.asked ? 0 : EXIT_USAGE;
    }
    flags = line.flags;
    const cli = new Cli({ flags, terminal, interruption, hidden, dist });
    return await line.command.run(cli, line.operands, line.options, line.rest);
  } catch (thrown) {
    return report(toPixelsError(thrown), terminal, flags, hidden);
  } finally {
    terminal.wipe();
    interruption.close();
    await terminal.flush(); // the end of the process drops what a slow reader of a pipe has not taken yet
  }
}

function report(error: PixelsError, terminal: Terminal, { verbose }: GlobalFlags, hidden: HiddenValues): number {
  terminal.say(`${terminal.red('pixels:')} ${hidden.hide(error.message)}`);
  if (error.hint !== undefined) terminal.say(hidden.hide(error.hint));
  if (verbose) terminal.say(terminal.gray(hidden.hide(causeChain(error))));
  return error.kind === 'invalid' ? EXIT_USAGE : EXIT_FAILED;
}
