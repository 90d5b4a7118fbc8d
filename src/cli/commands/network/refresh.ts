import { PixelsError } from '../../../sandbox/errors';
import { parseName } from '../../../sandbox/name';
import { defineCommand } from '../../command';
import { changeEgress } from '../../egress';

export const refreshEgress = defineCommand({
  name: 'refresh',
  summary: 'Put the policy of a sandbox in force again, with the groups of today',
  operands: { name: 'NAME' },
  options: {},
  run(cli, operands) {
    const name = parseName(operands.name);
    return changeEgress(cli, name, `The egress of ${name} is up to date`, () =>
      Promise.resolve((policy) => {
        if (policy !== undefined) return policy;
        throw new PixelsError('wrong-state', `${name} may reach everything.`);
      }),
    );
  },
});
