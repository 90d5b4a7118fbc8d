import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PixelsError } from '../../../../src/sandbox/errors';
import type { HostEvent } from '../../../../src/sandbox/host';
import { silentLog } from '../../../../src/sandbox/log';
import { parseName, type SandboxName } from '../../../../src/sandbox/name';
import { OwnEvents } from '../../../../src/truenas/common/ownEvents';
import { Watch, type Glimpse, type Seen } from '../../../../src/truenas/common/watch';
import { lookout } from '../../../../src/truenas/virt/lookout';
import { fakeApi } from './fakeApi';

const web = parseName('web');
const COLLECTION = 'virt.instance.query';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function watched() {
  const api = fakeApi({});
  const glimpses = new Map<SandboxName, Glimpse>();
  const events: HostEvent[] = [];
  const looks = { one: 0, all: 0 };
  const own = new OwnEvents();
  const looking = {
    subscribe: (listener: (seen: Seen) => void) => lookout(api).subscribe(listener),
    all: () => Promise.resolve(new Map((looks.all++, glimpses))),
    one: (name: SandboxName) => Promise.resolve((looks.one++, glimpses.get(name))),
  };
  const watch = new Watch(api, looking, own, silentLog, (event) => events.push(event));
  const connect = async () => {
    api.linked({ kind: 'connected' });
    await vi.advanceTimersByTimeAsync(0);
  };
  await connect();
  const set = (status: Glimpse['status'], ...addresses: string[]) => glimpses.set(web, { status, addresses });
  const names = () => events.splice(0).map((event) => ('name' in event ? `${event.kind} ${event.name}` : event.kind));
  return { api, watch, set, glimpses, looks, names, own, connect };
}

/** A watch whose looks at everything end when the test says so, and what it did in which order. */
function watchedSlowly() {
  const api = fakeApi({});
  const order: string[] = [];
  const looks: ((found: ReadonlyMap<SandboxName, Glimpse>) => void)[] = [];
  const looking = {
    subscribe: (listener: (seen: Seen) => void) => lookout(api).subscribe(listener),
    all: () =>
      new Promise<ReadonlyMap<SandboxName, Glimpse>>((resolve) => {
        order.push('look');
        looks.push(resolve);
      }),
    one: () => Promise.resolve<Glimpse>({ status: 'running', addresses: ['10.0.0.7'] }),
  };
  new Watch(api, looking, new OwnEvents(), silentLog, ({ kind }) => order.push(kind));
  const endLook = async (...found: [SandboxName, Glimpse][]) => {
    looks.shift()!(new Map(found));
    await vi.advanceTimersByTimeAsync(0);
  };
  return { api, order, endLook };
}

describe('watching TrueNAS', () => {
  it('has looked before it says that it is connected: no change falls between that and the look of whoever hears it', async () => {
    const { api, order, endLook } = watchedSlowly();
    api.linked({ kind: 'connected' });
    await vi.advanceTimersByTimeAsync(0);
    expect(order).toEqual(['look']);
    await endLook();
    expect(order).toEqual(['look', 'connected']);
  });

  it('does not say that it is connected when the connection was lost while it looked', async () => {
    const { api, order, endLook } = watchedSlowly();
    api.linked({ kind: 'connected' });
    await vi.advanceTimersByTimeAsync(0);
    api.linked({ kind: 'disconnected', error: new PixelsError('unreachable', 'Gone.') });
    await endLook();
    expect(order).toEqual(['look', 'disconnected']);
  });

  it.each<[string, Glimpse]>([
    ['with that look', { status: 'running', addresses: [] }],
    ['by an event during that look', { status: 'stopped', addresses: [] }],
  ])('looks for the address of what it has found to run %s', async (how, found) => {
    const { api, order, endLook } = watchedSlowly();
    api.linked({ kind: 'connected' });
    await vi.advanceTimersByTimeAsync(0);
    if (how.includes('event')) api.tell(COLLECTION, { kind: 'changed', id: 'px-web', fields: { status: 'RUNNING' } });
    await endLook([web, found]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(order).toEqual(['look', 'connected', 'changed']);
  });

  it('reports events of sandboxes and of checkpoints, and no others', async () => {
    const { api, names } = await watched();
    expect(names()).toEqual(['connected']);
    api.tell(COLLECTION, { kind: 'added', id: 'px-web', fields: {} });
    api.tell(COLLECTION, { kind: 'removed', id: 'px-web', fields: {} });
    api.tell(COLLECTION, { kind: 'changed', id: 'other', fields: {} });
    const dataset = 'tank/.ix-virt/containers/px-web';
    api.tell('pool.snapshot.query', { kind: 'added', id: `${dataset}@px-ready`, fields: {} });
    api.tell('pool.snapshot.query', { kind: 'added', id: `${dataset}@auto-2026`, fields: {} });
    api.tell('pool.snapshot.query', { kind: 'removed', id: 'tank/data@px-ready', fields: {} });
    expect(names()).toEqual(['changed web', 'changed web', 'checkpoints-changed web']);
  });

  it('looks each second for the address of what was started, by anybody, and reports it once', async () => {
    const { api, set, names, looks } = await watched();
    set('running');
    api.tell(COLLECTION, { kind: 'changed', id: 'px-web', fields: { status: 'RUNNING' } });
    names();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(names()).toEqual([]);
    set('running', '10.0.0.7');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(names()).toEqual(['changed web']);
    const { one } = looks;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(looks.one).toBe(one);
    expect(names()).toEqual([]);
  });

  it('reports the address of what was restarted, also when it is the same as before', async () => {
    const { api, set, names, connect } = await watched();
    set('running', '10.0.0.7');
    await connect();
    for (const status of ['STOPPED', 'RUNNING']) {
      api.tell(COLLECTION, { kind: 'changed', id: 'px-web', fields: { status } });
    }
    set('running');
    await vi.advanceTimersByTimeAsync(8_000);
    names();
    set('running', '10.0.0.7');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(names()).toEqual(['changed web']);
  });

  it('goes on looking for an address when the connection was lost meanwhile', async () => {
    const { api, set, names, connect } = await watched();
    set('running');
    api.tell(COLLECTION, { kind: 'changed', id: 'px-web', fields: { status: 'RUNNING' } });
    api.linked({ kind: 'disconnected', error: new Error('gone') });
    await vi.advanceTimersByTimeAsync(5_000);
    await connect();
    names();
    set('running', '10.0.0.7');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(names()).toEqual(['changed web']);
  });

  it('stops looking for an address after a minute, and at once when the sandbox stops or goes', async () => {
    const { api, set, glimpses, looks } = await watched();
    const start = () => api.tell(COLLECTION, { kind: 'changed', id: 'px-web', fields: { status: 'RUNNING' } });
    set('running');
    start();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(looks.one).toBeGreaterThan(55);
    expect(looks.one).toBeLessThan(65);
    for (const change of [() => set('stopped'), () => glimpses.delete(web)]) {
      start();
      change();
      const before = looks.one;
      await vi.advanceTimersByTimeAsync(10_000);
      expect(looks.one).toBe(before + 1);
    }
  });

  it('looks now and then at all of them, for what no event tells: a sandbox that powered itself off', async () => {
    const { set, names, connect, looks } = await watched();
    set('running', '10.0.0.7');
    await connect();
    names();
    await vi.advanceTimersByTimeAsync(46_000);
    expect(names()).toEqual([]);
    set('stopped');
    await vi.advanceTimersByTimeAsync(45_000);
    expect(names()).toEqual(['changed web']);
    expect(looks.all).toBe(4);
  });

  it('reports what this process did', async () => {
    const { own, names } = await watched();
    names();
    await own.after(web, ['changed', 'checkpoints-changed'], Promise.resolve());
    await expect(own.after(web, ['changed'], Promise.reject(new Error('half done')))).rejects.toThrow('half done');
    expect(names()).toEqual(['changed web', 'checkpoints-changed web', 'changed web']);
  });

  it('has no timers while it is disconnected, and none after it was closed', async () => {
    const { api, set, names, connect, watch, looks } = await watched();
    set('running');
    api.tell(COLLECTION, { kind: 'changed', id: 'px-web', fields: {} });
    api.linked({ kind: 'disconnected', error: new Error('gone') });
    await vi.advanceTimersByTimeAsync(0);
    expect(names()).toEqual(['connected', 'changed web', 'disconnected']);
    expect(vi.getTimerCount()).toBe(0);
    await connect();
    expect(names()).toEqual(['connected']);
    watch.close();
    expect(vi.getTimerCount()).toBe(0);
    const { all } = looks;
    api.tell(COLLECTION, { kind: 'changed', id: 'px-web', fields: {} });
    api.linked({ kind: 'connected' });
    await vi.advanceTimersByTimeAsync(100_000);
    expect(names()).toEqual([]);
    expect(looks.all).toBe(all);
  });
});
