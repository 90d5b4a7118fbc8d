import { parseName } from '../../sandbox/name';
import { changeSandbox } from '../changeSandbox';
import { defineCommand } from '../command';

export const start = defineCommand({
  name: 'start',
  summary: 'Start a sandbox; what was interrupted on it is finished',
  operands: { name: 'NAME' },
  options: {},
  run(cli, operands) {
    const name = parseName(operands.name);
    return changeSandbox(cli, name, `${name} is running.`, ({ lifecycle }) => lifecycle.start(name, cli.run));
  },
});
