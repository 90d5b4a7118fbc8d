import { describe, expect, it } from 'vitest';
import { parseLabel } from '../../../../src/sandbox/name';
import {
  countByDataset,
  labelOf,
  parseSnapshot,
  sandboxOfDataset,
  snapshotOf,
} from '../../../../src/truenas/common/names';

const web = 'tank/.ix-virt/containers/px-web';

describe('snapshots', () => {
  it.each(['ready', 'Two.2', 'px-own', 'before-restore-2026-11-23-140501', 'a_b', '1'])(
    'named for the checkpoint %s are found again',
    (typed) => expect(labelOf(snapshotOf(parseLabel(typed)))).toBe(typed),
  );

  it.each([
    'auto-2026-11-23_00-00',
    'snapshot-1',
    'px-',
    'px--x',
    'px-x-',
    'px-a:b',
    'pixels-copy-1a2b',
    'pixels-copied',
    ' px-a',
  ])('of others are no checkpoints: %s', (name) => expect(labelOf(name)).toBeUndefined());

  it('are taken apart at the first @', () => {
    expect(parseSnapshot(`${web}@px-ready`)).toEqual({ dataset: web, snapshot: 'px-ready' });
    expect(parseSnapshot('tank')).toEqual({ dataset: 'tank', snapshot: '' });
  });

  it('are counted for each sandbox, checkpoints only', () => {
    const names = ['px-a', 'px-b', 'auto-2026', 'px-b-'].map((name) => `${web}@${name}`);
    const counts = countByDataset([...names, 'other/.ix-virt/containers/px-web@px-a', 'tank/data@px-x']);
    expect(counts.get(web)).toBe(2);
    expect(counts.get('other/.ix-virt/containers/px-web')).toBe(1);
    expect(counts.get('tank/.ix-virt/containers/px-none')).toBeUndefined();
  });
});

describe('datasets', () => {
  it.each([
    [web, 'web'],
    ['tank/.truenas_containers/containers/px-web', 'web'],
    ['tank/.ix-virt/containers/web', undefined],
    ['tank/.ix-virt/containers/px-Web', undefined],
    ['tank/.ix-virt/containers/px-web/child', undefined],
    ['tank/.ix-virt/deleted/containers/px-web', undefined],
    ['tank/a/b/containers/px-web', undefined],
    ['tank', undefined],
  ])('%s is the one of %s', (dataset, name) => expect(sandboxOfDataset(dataset)).toBe(name));
});
