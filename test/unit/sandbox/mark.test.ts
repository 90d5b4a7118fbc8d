import { spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { isUnderWay, readMark, refuseIfUnderWay, underMark, type Mark } from '../../../src/sandbox/mark';
import { parseName } from '../../../src/sandbox/name';

const web = parseName('web');

function markOf(change: Partial<Mark>): Mark {
  return { action: 'restore', id: 'x', host: hostname(), pid: process.pid, since: Date.now(), ...change };
}

describe('a mark', () => {
  it('comes back from the state as it was written', async () => {
    await underMark('restore', { label: 'ready' as never, wasRunning: true }, (mark) => {
      expect(readMark({ mark: JSON.stringify(mark) })).toEqual(mark);
      return Promise.resolve();
    });
  });

  it('is absent where nothing is under way', () => {
    expect(readMark({})).toBeUndefined();
  });

  it.each(['', '{', '"x"', 'null', '{"action":"dance"}'])(
    'that cannot be read (%j) is an interrupted restore',
    (text) => {
      expect(readMark({ mark: text })?.action).toBe('restore');
    },
  );

  it('leaves a label out that is no label', () => {
    expect(readMark({ mark: JSON.stringify(markOf({ label: '../x' as never })) })?.label).toBeUndefined();
  });
});

describe('who is at work', () => {
  it('is this process while its use case runs, and no longer', async () => {
    let seen: Mark | undefined;
    await underMark('create', {}, (mark) => {
      seen = mark;
      expect(isUnderWay(mark)).toBe(true);
      expect(() => refuseIfUnderWay(web, mark)).toThrow(/web is being created by process \d+/);
      return Promise.resolve();
    });
    expect(isUnderWay(seen!)).toBe(false);
  });

  it('is nobody after the use case failed', async () => {
    let seen: Mark | undefined;
    await expect(
      underMark('create', {}, (mark) => {
        seen = mark;
        return Promise.reject(new Error('no'));
      }),
    ).rejects.toThrow('no');
    expect(isUnderWay(seen!)).toBe(false);
  });

  it('is another living process of this machine, not a dead one', () => {
    expect(isUnderWay(markOf({ pid: process.ppid }))).toBe(true);
    const { pid } = spawnSync('true');
    expect(isUnderWay(markOf({ pid }))).toBe(false);
  });

  it('is another machine for a while', () => {
    const now = Date.now();
    expect(isUnderWay(markOf({ host: 'elsewhere', since: now - 60_000 }), now)).toBe(true);
    expect(isUnderWay(markOf({ host: 'elsewhere', since: now - 3_600_000 }), now)).toBe(false);
  });
});
