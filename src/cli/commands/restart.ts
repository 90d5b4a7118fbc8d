import { parseName } from '../../sandbox/name';
import { changeSandbox } from '../changeSandbox';
import { defineCommand } from '../command';
import { STOP_OPTIONS } from './stop';

export const restart = defineCommand({
  name: 'restart',
  summary: 'Shut a sandbox down and start it again',
  operands: { name: 'NAME' },
  options: STOP_OPTIONS,
  run(cli, operands, { force = false }) {
    const name = parseName(operands.name);
    return changeSandbox(cli, name, `${name} is running again.`, async ({ lifecycle }) => {
      const { FORCED, GRACEFUL } = await import('../../sandbox/lifecycle');
      await lifecycle.restart(name, force ? FORCED : GRACEFUL, cli.run);
    });
  },
});
