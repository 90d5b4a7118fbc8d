import { parseBaseName } from '../../../sandbox/base';
import { defineCommand } from '../../command';

export const deleteBase = defineCommand({
  name: 'delete',
  summary: 'Delete a base; sandboxes that were cloned from it stay',
  operands: { name: 'NAME' },
  options: {},
  run(cli, operands) {
    const name = parseBaseName(operands.name);
    return cli.use(async ({ bases }) => {
      await bases.delete(name, cli.run);
      cli.say(`The base ${name} is gone.`);
      return 0;
    });
  },
});
