import { parseName } from '../../../sandbox/name';
import { defineCommand } from '../../command';
import { parseDuration } from '../../duration';
import { changeEntries, type Change } from '../../egress';

export const allowEgress = defineCommand({
  name: 'allow',
  summary: 'Let a sandbox reach a domain, an address or a group too',
  operands: { name: 'NAME', entry: 'DOMAIN' },
  options: { for: { type: 'string', value: 'TIME', help: 'Only for so long: 30m, 2h, 1d' } },
  details:
    'example.org: the domain and all below it. =example.org: only itself. 10.0.0.0/8, 2001:db8::1: addresses, also private\n' +
    'ones. @git: a group. Ports follow a colon: example.org:443. Several stand with commas between.\n' +
    'With --for it ends by itself, and what is connected then is cut.',
  run(cli, { name, entry }, { for: time }) {
    const change: Change = time === undefined ? { how: 'allow' } : { how: 'allow', forMs: parseDuration(time) };
    return changeEntries(cli, parseName(name), entry, change);
  },
});
