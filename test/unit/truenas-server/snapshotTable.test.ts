import { beforeEach, describe, expect, it } from 'vitest';
import { SnapshotTable } from '../../truenas-server/zfs/snapshotTable';

const DATASET = 'tank/.ix-virt/containers/px-a';
const [ONE, TWO, THREE] = ['one', 'two', 'three'].map((name) => `${DATASET}@${name}`) as [string, string, string];
const plain = { recursive: false, recursiveClones: false };
const recursive = { recursive: true, recursiveClones: false };

let table: SnapshotTable;

beforeEach(() => {
  table = new SnapshotTable();
  for (const name of ['one', 'two', 'three']) add(name);
});

function add(name: string, dataset = DATASET): void {
  table.add({ dataset, name, creation: 1, guid: '1', referenced: 0, properties: {}, holds: [] });
}

describe('snapshots', () => {
  it('are in the order in which they were made, by transaction groups that grow', () => {
    expect(table.of(DATASET).map(({ name }) => name)).toEqual(['one', 'two', 'three']);
    const groups = table.all().map(({ createtxg }) => createtxg);
    expect(groups).toEqual([...groups].sort((a, b) => a - b));
    expect(new Set(groups).size).toBe(3);
  });

  it('are there once', () => {
    expect(() => add('one')).toThrow('dataset already exists');
    expect(() => table.required(`${DATASET}@no`)).toThrow(`cannot open '${DATASET}@no': dataset does not exist`);
  });

  it('survive being written down', () => {
    const read = new SnapshotTable(JSON.parse(JSON.stringify(table)) as ReturnType<SnapshotTable['toJSON']>);
    expect(read.all()).toEqual(table.all());
    expect(read.nextTxg()).toBe(table.nextTxg());
  });
});

describe('a rollback', () => {
  it('to the newest destroys nothing', () => {
    expect(table.newerThan(THREE, plain)).toEqual({ snapshots: [], clones: [] });
  });

  it('to an older one is refused, naming the newer ones', () => {
    expect(() => table.newerThan(ONE, plain)).toThrow(
      `cannot rollback to '${ONE}': more recent snapshots or bookmarks exist\n` +
        `use '-r' to force deletion of the following snapshots and bookmarks:\n${TWO}\n${THREE}`,
    );
  });

  it('destroys the newer ones, newest first, when it is recursive, and no other data set', () => {
    add('four', 'tank/other');
    expect(table.newerThan(ONE, recursive)).toEqual({ snapshots: [THREE, TWO], clones: [] });
  });

  it('fails while a newer one has clones, unless these may go too', () => {
    table.addDataset('tank/clone', {}, TWO);
    expect(() => table.newerThan(ONE, recursive)).toThrow('clones of previous snapshots exist');
    expect(table.newerThan(ONE, { recursive: true, recursiveClones: true }).clones).toEqual(['tank/clone']);
    expect(table.newerThan(TWO, recursive).snapshots).toEqual([THREE]); // its own clones do not matter
  });

  it('fails while a newer one is held', () => {
    table.change(THREE, { holds: ['truenas'] });
    expect(() => table.newerThan(ONE, recursive)).toThrow(`cannot destroy '${THREE}': dataset is busy`);
  });
});

describe('destroying', () => {
  it('is refused for a snapshot with clones or holds', () => {
    table.addDataset('tank/clone', {}, ONE);
    expect(() => table.remove(ONE)).toThrow(`cannot destroy '${ONE}': snapshot has dependent clones`);
    table.forgetDataset('tank/clone');
    table.remove(ONE);
    expect(table.find(ONE)).toBeUndefined();
  });

  it('a data set takes its snapshots along, when told so', () => {
    expect(() => table.removable(DATASET, { recursive: false })).toThrow(
      /filesystem has children[^]*@one\n[^]*@three$/,
    );
    expect(table.removable(DATASET, { recursive: true })).toEqual([ONE, TWO, THREE]);
  });
});

it('a new name carries clones, snapshots and properties along', () => {
  table.addDataset('tank/clone', {}, ONE);
  table.rename(ONE, 'first');
  expect(table.originOf('tank/clone')).toBe(`${DATASET}@first`);
  table.setProperty(DATASET, 'canmount', 'noauto');
  table.moveDataset(DATASET, 'tank/aside');
  expect(table.of('tank/aside').map(({ id }) => id)).toEqual([
    'tank/aside@first',
    'tank/aside@two',
    'tank/aside@three',
  ]);
  expect(table.originOf('tank/clone')).toBe('tank/aside@first');
  expect(table.propertiesOf('tank/aside')).toEqual({ canmount: 'noauto' });
  expect(table.of(DATASET)).toEqual([]);
});
