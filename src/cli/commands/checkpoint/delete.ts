import { parseLabel, parseName } from '../../../sandbox/name';
import { defineCommand } from '../../command';

export const deleteCheckpoint = defineCommand({
  name: 'delete',
  summary: 'Delete a checkpoint; the sandbox stays as it is',
  operands: { name: 'NAME', label: 'LABEL' },
  options: {},
  run(cli, operands) {
    const name = parseName(operands.name);
    const label = parseLabel(operands.label);
    return cli.use(async ({ lifecycle }) => {
      await lifecycle.deleteCheckpoint(name, label, cli.run);
      cli.say(`${name} has no checkpoint ${label} any more.`);
      return 0;
    });
  },
});
