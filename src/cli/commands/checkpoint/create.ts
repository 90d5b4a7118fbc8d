import { parseLabel, parseName } from '../../../sandbox/name';
import { defineCommand } from '../../command';
import { checkpointJson } from '../../json';

export const createCheckpoint = defineCommand({
  name: 'create',
  summary: 'Take a checkpoint of a sandbox, running or not',
  operands: { name: 'NAME' },
  options: { label: { type: 'string', short: 'l', value: 'LABEL', help: 'Its label; default: the time' } },
  run(cli, operands, options) {
    const name = parseName(operands.name);
    const wanted = options.label === undefined ? undefined : parseLabel(options.label);
    return cli.use(async ({ lifecycle, host }) => {
      const label = await lifecycle.createCheckpoint(name, wanted, cli.run);
      cli.say(`${name} has a checkpoint ${label}.`);
      if (!cli.flags.json) return 0;
      const made = (await host.checkpoints(name)).find((checkpoint) => checkpoint.label === label);
      if (made !== undefined) cli.print(checkpointJson(made), String);
      return 0;
    });
  },
});
