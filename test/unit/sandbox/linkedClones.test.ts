import { describe, expect, it } from 'vitest';
import type { SandboxHost } from '../../../src/sandbox/host';
import { clonesFirst, refuseWithClones } from '../../../src/sandbox/linkedClones';
import { parseLabel, parseName } from '../../../src/sandbox/name';

const a = parseName('a');
const b = parseName('b');
const c = parseName('c');
const d = parseName('d');
const ready = parseLabel('ready');

/** Only what is asked here; the real ones are tried by the contract suite. */
const host = {
  linkedClones: () =>
    Promise.resolve([
      { name: b, label: ready },
      { name: c, label: undefined },
    ]),
} as unknown as SandboxHost;

describe('what has linked clones', () => {
  it('cannot be destroyed before all of them, nor a checkpoint be deleted before its own, which are named', async () => {
    await expect(refuseWithClones(host, { name: a })).rejects.toMatchObject({
      kind: 'wrong-state',
      message: 'a cannot be destroyed: b, c are linked clones of it.',
      hint: 'Destroy those first.',
    });
    await expect(refuseWithClones(host, { name: a, label: ready })).rejects.toMatchObject({
      message: 'a:ready cannot be deleted: b is a linked clone of it.',
      hint: 'Destroy that first.',
    });
    expect(await refuseWithClones(host, { name: a, label: parseLabel('other') })).toEqual([]);
  });

  it('can be destroyed with them, and after them', async () => {
    expect(await refuseWithClones(host, { name: a, except: [a, b, c] })).toEqual([b, c]);
    await expect(refuseWithClones(host, { name: a, except: [a, b] })).rejects.toThrow('c is a linked clone');
    const clones = new Map([
      [a, [b, c]],
      [c, [d]],
    ]);
    const all = [a, b, c, d].map((name) => ({ name }));
    const groups = clonesFirst(all, ({ name }) => clones.get(name) ?? []);
    expect(groups.map((group) => group.map(({ name }) => name))).toEqual([[b, d], [c], [a]]);
    expect(clonesFirst(all.slice(0, 2), () => [a, b])).toEqual([all.slice(0, 2)]);
  });
});
