import { describe, expect, it } from 'vitest';
import { filteredAttributes, filterRows } from '../../truenas-server/rpc/queryFilters';

const rows = [
  { name: 'px-a', status: 'RUNNING', image: { os: 'Debian' }, memory: 2, roles: ['x'] },
  { name: 'px-b', status: 'STOPPED', image: { os: 'Ubuntu' }, memory: 1, roles: [] },
  { name: 'other', status: 'RUNNING', image: { os: 'debian' }, memory: 3, roles: ['x', 'y'] },
];

const names = (filters: unknown[]): unknown => {
  return (filterRows(rows, filters) as { name: string }[]).map(({ name }) => name);
};

describe('filters', () => {
  it.each([
    [[['name', '=', 'px-a']], ['px-a']],
    [[['name', '!=', 'px-a']], ['px-b', 'other']],
    [[['name', '^', 'px-']], ['px-a', 'px-b']],
    [[['name', '!^', 'px-']], ['other']],
    [[['name', '$', '-b']], ['px-b']],
    [[['name', '~', 'px-[a]']], ['px-a']],
    [[['status', 'in', ['STOPPED', 'ERROR']]], ['px-b']],
    [[['roles', 'rin', 'y']], ['other']],
    [[['memory', '>=', 2]], ['px-a', 'other']],
    [[['image.os', '=', 'Debian']], ['px-a']],
    [[['image.os', 'C=', 'DEBIAN']], ['px-a', 'other']],
    [[['nothing', '=', null]], []],
    [
      [
        ['name', '^', 'px-'],
        ['memory', '<', 2],
      ],
      ['px-b'],
    ], // all of them
    [
      [
        [
          'OR',
          [
            ['name', '=', 'other'],
            [
              ['name', '^', 'px-'],
              ['memory', '=', 1],
            ],
          ],
        ],
      ],
      ['px-b', 'other'],
    ],
  ])('%j', (filters, expected) => {
    expect(names(filters)).toEqual(expected);
  });

  it.each([[['name', '=']], [['name', 'like', 'x']], ['name'], [['XOR', []]]])('are refused: %j', (filter) => {
    expect(() => filterRows(rows, [filter])).toThrow('[EINVAL]');
  });
});

describe('options', () => {
  it('count, get, order, select and cut', () => {
    expect(filterRows(rows, [['name', '^', 'px-']], { count: true })).toBe(2);
    expect(filterRows(rows, [], { get: true, order_by: ['-memory'] })).toMatchObject({ name: 'other' });
    expect(filterRows(rows, [], { order_by: ['memory'], select: ['name'], offset: 1, limit: 1 })).toEqual([
      { name: 'px-a' },
    ]);
    expect(filterRows(rows, [], { limit: 1, select: [['image.os', 'os']] })).toEqual([{ os: 'Debian' }]);
  });

  it('get of nothing is not found, which reaches the client as wrong parameters', () => {
    expect(() => filterRows(rows, [['name', '=', 'none']], { get: true })).toThrow(/^\[ENOENT\]/);
  });
});

it('the attributes that are looked at are told, those in OR too', () => {
  const filters = [
    ['a', '=', 1],
    [
      'OR',
      [
        ['b', '=', 1],
        [
          ['c', '=', 1],
          ['d', '=', 1],
        ],
      ],
    ],
  ];
  expect([...filteredAttributes(filters)]).toEqual(['a', 'b', 'c', 'd']);
});
