import { parseName } from '../../sandbox/name';
import { attachTerminal, terminalSize } from '../attachTerminal';
import { defineCommand } from '../command';
import { refuseWithoutTerminal } from '../console';
import { userOf } from '../identity';
import { passThrough } from '../passThrough';

export const exec = defineCommand({
  name: 'exec',
  summary: 'Run a command in a running sandbox',
  operands: { name: 'NAME' },
  rest: 'CMD...',
  options: { tty: { type: 'boolean', short: 't', help: 'Give it a terminal, for programs that draw on the screen' } },
  details:
    "Runs in the user's home directory. Standard input, output and error pass through unchanged, and so do signals;\n" +
    "the exit code is the command's.",
  async run(cli, operands, { tty = false }, command) {
    const name = parseName(operands.name);
    if (tty) refuseWithoutTerminal(cli);
    return cli.use(async (pixels) => {
      const { host, config } = pixels;
      const { commandRequest, sessionVariables } = await import('../../provision');
      const sandbox = await host.get(name, cli.run.signal);
      const { session } = await pixels.environment();
      const variables = await sessionVariables(host, name, session, cli.run.signal);
      const request = commandRequest(userOf(sandbox, config), command, variables);
      if (!tty) return passThrough(cli, await host.exec(name, request, cli.run.signal));
      const env = { TERM: process.env['TERM'] ?? 'xterm-256color', LANG: 'C.UTF-8', ...request.env };
      return attachTerminal(cli, await host.exec(name, { ...request, env, tty: terminalSize(cli) }, cli.run.signal));
    });
  },
});
