import { parseName } from '../../sandbox/name';
import { defineCommand } from '../command';
import { openConsole, refuseWithoutTerminal } from '../console';

export const console = defineCommand({
  name: 'console',
  summary: 'Open a shell in a sandbox, which is started if need be',
  operands: { name: 'NAME' },
  options: {
    session: { type: 'string', short: 's', value: 'SESSION', help: 'tmux session to join or make; default: main' },
    'no-persist': { type: 'boolean', help: 'A plain shell that ends with this terminal' },
  },
  details: 'Where the sandbox has tmux, the shell goes on when the terminal is closed; Ctrl-b d leaves it.',
  async run(cli, operands, { session, 'no-persist': plain = false }) {
    const name = parseName(operands.name);
    refuseWithoutTerminal(cli);
    return cli.use(async (pixels) => {
      const { signal } = cli.run;
      let sandbox = await pixels.host.get(name, signal);
      if (sandbox.status !== 'running') {
        await pixels.lifecycle.start(name, cli.run);
        sandbox = await pixels.host.get(name, signal);
      }
      return openConsole(cli, pixels, sandbox, { session, persist: !plain });
    });
  },
});
