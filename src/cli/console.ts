import type { Pixels } from '../app/pixels';
import { PixelsError } from '../sandbox/errors';
import type { Sandbox } from '../sandbox/sandbox';
import { attachTerminal, terminalSize } from './attachTerminal';
import type { Cli } from './cli';
import { userOf } from './identity';

export interface ConsoleWishes {
  /** The tmux session; by default the one that the editor's consoles join. */
  readonly session?: string | undefined;
  readonly persist?: boolean | undefined;
}

/** A shell in the running sandbox, on this terminal. Returns its exit code. */
export async function openConsole(
  cli: Cli,
  pixels: Pixels,
  sandbox: Sandbox,
  { session = 'main', persist = true }: ConsoleWishes,
): Promise<number> {
  const { consoleRequest, sessionVariables } = await import('../provision');
  const { columns, rows } = terminalSize(cli);
  const { host, config } = pixels;
  const { session: environment } = await pixels.environment();
  const variables = await sessionVariables(host, sandbox.name, environment, cli.run.signal);
  const request = consoleRequest(userOf(sandbox, config), { columns, rows, session, persist, variables });
  return attachTerminal(cli, await host.exec(sandbox.name, request, cli.run.signal));
}

/** @throws PixelsError `invalid` where there is nothing to show a console on. */
export function refuseWithoutTerminal({ terminal }: Cli): void {
  const { stdin, stdout } = terminal.streams;
  if (stdin.isTTY && stdout.isTTY) return;
  throw new PixelsError('invalid', 'This needs a terminal for its input and output.', {
    hint: 'Without one, run a command: pixels exec NAME -- CMD',
  });
}
