import { parseName } from '../../../sandbox/name';
import { defineCommand } from '../../command';
import { changeEntries } from '../../egress';

export const denyEgress = defineCommand({
  name: 'deny',
  summary: 'Take something away from what a sandbox may reach',
  operands: { name: 'NAME', entry: 'DOMAIN' },
  options: {},
  details: 'What is only a part of something that stays allowed becomes an exception from it.',
  run: (cli, { name, entry }) => changeEntries(cli, parseName(name), entry, { how: 'deny' }),
});
