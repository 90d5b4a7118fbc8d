import { describe, expect, it } from 'vitest';
import { entryFor, parseRefusals } from '../../../src/egress/refusals';

const NOW = new Date('2026-11-27T07:44:05Z');

/** As nftables 1.0.6 prints a set. */
function set(family: 4 | 6, ...elem: object[]): string {
  const type = [`ipv${family}_addr`, 'inet_proto', 'inet_service'];
  const about = { family: 'inet', name: `refused${family}`, table: 'pixels', type, handle: 15, size: 512 };
  const metainfo = { version: '1.0.6', release_name: 'Lester Gooch #5', json_schema_version: 1 };
  return JSON.stringify({
    nftables: [{ metainfo }, { set: { ...about, flags: ['timeout'], timeout: 86400, ...(elem[0] ? { elem } : {}) } }],
  });
}

function element(address: string, protocol: string | number, port: number, expires = 86399, packets = 1): object {
  return { elem: { val: { concat: [address, protocol, port] }, expires, counter: { packets, bytes: 60 * packets } } };
}

it('are the names that were not looked up, and the connections that were refused, the latest first', () => {
  const printed = [
    set(4, element('198.51.100.10', 'tcp', 443, 86400 - 60, 3), element('10.99.8.10', 17, 53)),
    set(6, element('2001:db8::1', 'tcp', 80, 86400 - 3600)),
    'name 4 1795765444 nowhere.example',
    'is 10.99.8.10 inside.allowed.example',
    '',
  ].join('\n');
  const at = (time: string) => new Date(`2026-11-27T${time}Z`);
  expect(parseRefusals(printed, NOW)).toEqual([
    {
      name: 'nowhere.example',
      address: undefined,
      protocol: undefined,
      port: undefined,
      count: 4,
      last: at('07:44:04'),
    },
    {
      name: 'inside.allowed.example',
      address: '10.99.8.10',
      protocol: 'udp',
      port: 53,
      count: 1,
      last: at('07:44:04'),
    },
    { name: undefined, address: '198.51.100.10', protocol: 'tcp', port: 443, count: 3, last: at('07:43:05') },
    { name: undefined, address: '2001:db8::1', protocol: 'tcp', port: 80, count: 1, last: at('06:44:05') },
  ]);
});

it.each([
  ['nothing at all', ''],
  ['sets without elements', `${set(4)}\n${set(6)}\n`],
  ['what is no JSON', '{"nftables": [\n'],
  ['another program\u2019s JSON', '{"nftables": [{"set": {"timeout": "long"}}]}\n{}\n{"nftables": 3}'],
  ['elements that are none', set(4, { elem: 3 }, element('\u001b[31mred', 'tcp', 80), { elem: { val: '1.2.3.4' } })],
  ['names that no resolver knows', 'name 1 1795765444 \u001b[31m\nname x 5 a.example\nname 1\nname\nis\nis 1.2.3.4'],
])('are none in %s', (_, printed) => {
  expect(parseRefusals(printed, NOW)).toEqual([]);
});

describe('what to allow for a refusal', () => {
  const at = { protocol: 'tcp', count: 1, last: new Date(0) } as const;
  it.each([
    ['one.example', undefined, undefined, 'one.example'],
    ['one.example', '192.0.2.1', 443, 'one.example:443'],
    ['one.example', '10.0.0.1', 443, '10.0.0.1:443'],
    ['one.example', 'fd00::1', 443, '[fd00::1]:443'],
    [undefined, '192.0.2.1', 22, '192.0.2.1:22'],
    ['printer', undefined, undefined, '=printer'],
    ['a..b', undefined, undefined, undefined],
  ])('of %s at %s, port %s, is %s', (name, address, port, entry) => {
    expect(entryFor({ ...at, name, address, port })).toBe(entry);
  });
});
