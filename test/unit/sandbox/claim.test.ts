import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { claim } from '../../../src/sandbox/claim';
import { PixelsError } from '../../../src/sandbox/errors';
import type { SandboxHost } from '../../../src/sandbox/host';
import type { Mark } from '../../../src/sandbox/mark';
import { parseName } from '../../../src/sandbox/name';
import type { SandboxState, StateChange } from '../../../src/sandbox/sandbox';
import { undoInTime, unlessAborted } from '../../../src/sandbox/undo';

const web = parseName('web');
const mark: Mark = { action: 'restore', id: 'mine', host: 'here', pid: 1, since: 0 };
const stale = JSON.stringify({ action: 'create', id: 'theirs', host: 'elsewhere', pid: 1, since: 0 });

/** A server that keeps one state, with an accident at its next write. */
let state: SandboxState;
let accident: 'before' | 'after' | 'late' | undefined;
const host = {
  async updateState(_: string, change: (now: SandboxState) => StateChange) {
    const happens = accident;
    accident = undefined;
    if (happens === 'before') throw new PixelsError('unreachable', 'It broke.');
    if (happens === 'late') await delay(30);
    const entries = Object.entries({ ...state, ...change(state) }).filter(([, value]) => value !== null);
    state = Object.fromEntries(entries);
    if (happens === 'after') throw new PixelsError('unreachable', 'It broke.');
  },
} as unknown as SandboxHost;

beforeEach(() => {
  state = { sshUser: 'pixel' };
  accident = undefined;
});

describe('a claim', () => {
  it('puts a mark, and can give the sandbox back as it was', async () => {
    state = { sshUser: 'pixel', mark: stale };
    const giveBack = await claim(host, web, mark);
    expect(state.mark).toBe(JSON.stringify(mark));
    await giveBack();
    expect(state).toEqual({ sshUser: 'pixel', mark: stale });
  });

  it('gives nothing back that is no longer its own', async () => {
    const giveBack = await claim(host, web, mark);
    state = { mark: stale };
    await giveBack();
    expect(state.mark).toBe(stale);
  });

  it.each(['before', 'after'] as const)(
    'whose write fails %s it was done leaves the sandbox as it was',
    async (when) => {
      accident = when;
      await expect(claim(host, web, mark)).rejects.toThrow('It broke.');
      expect(state).toEqual({ sshUser: 'pixel' });
    },
  );

  it('that is cancelled while the server is at it is taken back as soon as that is done', async () => {
    accident = 'late';
    const abort = new AbortController();
    const claiming = claim(host, web, mark, abort.signal);
    abort.abort();
    await expect(claiming).rejects.toMatchObject({ kind: 'cancelled' });
    expect(state).toEqual({ sshUser: 'pixel' });
    await expect(claim(host, web, mark, abort.signal)).rejects.toMatchObject({ kind: 'cancelled' });
  });

  it('on what somebody else is at work on is refused, and leaves their mark', async () => {
    state = { mark: JSON.stringify({ ...mark, id: 'theirs', host: 'elsewhere', since: Date.now() }) };
    const before = state;
    await expect(claim(host, web, mark)).rejects.toMatchObject({ kind: 'busy' });
    expect(state).toEqual(before);
  });
});

describe('undoing', () => {
  it('is waited for, but not for ever, and its failure is not told', async () => {
    let isDone = false;
    await undoInTime(async () => {
      await delay(10);
      isDone = true;
      throw new Error('told by nobody');
    });
    expect(isDone).toBe(true);
    const begun = Date.now();
    await undoInTime(() => new Promise(() => undefined), 20);
    expect(Date.now() - begun).toBeLessThan(2_000);
  });
});

describe('unlessAborted', () => {
  it('is the promise, or cancelled', async () => {
    const abort = new AbortController();
    expect(await unlessAborted(Promise.resolve(7), abort.signal)).toBe(7);
    const waiting = unlessAborted(new Promise(() => undefined), abort.signal);
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ kind: 'cancelled' });
    await expect(unlessAborted(new Promise(() => undefined), abort.signal)).rejects.toMatchObject({
      kind: 'cancelled',
    });
  });
});
