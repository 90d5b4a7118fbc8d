import { parseName } from '../../sandbox/name';
import { changeSandbox } from '../changeSandbox';
import { defineCommand, type Options } from '../command';

export const STOP_OPTIONS = {
  force: { type: 'boolean', short: 'f', help: 'Do not wait until it has shut down' },
} as const satisfies Options;

export const stop = defineCommand({
  name: 'stop',
  summary: 'Shut a sandbox down',
  operands: { name: 'NAME' },
  options: STOP_OPTIONS,
  run(cli, operands, { force = false }) {
    const name = parseName(operands.name);
    return changeSandbox(cli, name, `${name} is stopped.`, async ({ lifecycle }) => {
      const { FORCED, GRACEFUL } = await import('../../sandbox/lifecycle');
      await lifecycle.stop(name, force ? FORCED : GRACEFUL, cli.run);
    });
  },
});
