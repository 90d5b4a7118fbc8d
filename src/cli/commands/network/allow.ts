import { parseName } from '../../../sandbox/name';
import { defineCommand } from '../../command';
import { changeEntries } from '../../egress';

export const allowEgress = defineCommand({
  name: 'allow',
  summary: 'Let a sandbox reach a domain, an address or a group too',
  operands: { name: 'NAME', entry: 'DOMAIN' },
  options: {},
  details:
    'example.org: the domain and all below it. =example.org: only itself. 10.0.0.0/8, 2001:db8::1: addresses, also private\n' +
    'ones. @git: a group. Ports follow a colon: example.org:443. Several stand with commas between.',
  run: (cli, { name, entry }) => changeEntries(cli, parseName(name), entry, 'allow'),
});
