import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod/mini';
import type { CollectionEvent, LinkChange } from '../../../../src/truenas/api';
import { SILENCE } from './scriptedNas';
import { connect, failureOf, Lines, pause, startNas, until } from './world';

const text = z.string();

describe('link()', () => {
  it('connects by itself, says so, and comes back after a loss', async () => {
    const nas = await startNas();
    const changes: string[] = [];
    connect(nas).link((change) => changes.push(change.kind));
    expect(changes).toEqual([]);
    await until(() => changes.length === 1);
    nas.cut();
    await until(() => changes.length === 3);
    expect(changes).toEqual(['connected', 'disconnected', 'connected']);
  });

  it('says what is known to whoever comes later', async () => {
    const nas = await startNas();
    const api = connect(nas, { timing: { firstDelayMs: 5_000 } });
    const changes: LinkChange[] = [];
    const note = (change: LinkChange): void => void changes.push(change);
    api.link(() => undefined);
    await until(() => nas.openConnections === 1);
    await pause(20);
    api.link(note);
    await until(() => changes.length === 1);
    await nas.down();
    await until(() => changes.length === 2);
    api.link(note);
    await until(() => changes.length === 3);
    expect(changes.map(({ kind }) => kind)).toEqual(['connected', 'disconnected', 'disconnected']);
    expect(changes[2]).toMatchObject({ error: { kind: 'unreachable' } });
  });

  it('waits longer after every failure', async () => {
    const nas = await startNas();
    const log = new Lines();
    const attempts: number[] = [];
    log.debug = (line) => {
      if (line.includes('not connected')) attempts.push(Date.now());
    };
    const api = connect(nas, { log });
    await nas.down();
    api.link(() => undefined);
    await until(() => attempts.length === 4);
    const gaps = attempts.slice(1).map((time, index) => time - attempts[index]!);
    expect(gaps[0]).toBeGreaterThanOrEqual(38);
    expect(gaps[1]).toBeGreaterThanOrEqual(78);
    expect(gaps[2]).toBeGreaterThanOrEqual(158);
    await nas.up();
    await until(() => nas.openConnections === 1);
  });

  it('does not hold calls up while it waits: one connects for both', async () => {
    const nas = (await startNas()).on('x', () => 'there');
    const api = connect(nas, { timing: { firstDelayMs: 60_000, longestDelayMs: 60_000 } });
    const changes: string[] = [];
    api.link((change) => changes.push(change.kind));
    await until(() => changes.length === 1);
    await nas.down();
    await until(() => changes.length === 2);
    await failureOf(api.call('x', [], text), 'unreachable');
    await nas.up();
    expect(await api.call('x', [], text)).toBe('there');
    await until(() => changes.length === 3);
    expect(changes).toEqual(['connected', 'disconnected', 'connected']);
    expect(nas.openConnections).toBe(1);
  });

  it('does not log in more than ten times a minute, however often it is cut off', async () => {
    const nas = await startNas();
    nas.on('core.set_options', ({ connection }) => {
      connection.socket.terminate();
      return SILENCE;
    });
    connect(nas, { timing: { firstDelayMs: 1, longestDelayMs: 1 } }).link(() => undefined);
    await until(() => nas.count('auth.login_ex') === 10);
    await pause(200);
    expect(nas.count('auth.login_ex')).toBe(10);
  });

  it('is no longer told anything after it was closed, and another one is', async () => {
    const nas = await startNas();
    const api = connect(nas);
    const [first, second]: [string[], string[]] = [[], []];
    const closable = api.link((change) => first.push(change.kind));
    api.link((change) => second.push(change.kind));
    await until(() => second.length === 1);
    closable.close();
    closable.close();
    nas.cut();
    await until(() => second.length === 3);
    expect(first).toEqual(['connected']);
  });

  it('bears a listener that fails', async () => {
    const nas = await startNas();
    const log = new Lines();
    const api = connect(nas, { log });
    api.link(() => {
      throw new Error('broken listener');
    });
    const changes: string[] = [];
    api.link((change) => changes.push(change.kind));
    await until(() => changes.length === 1);
    expect(log.lines.some((line) => line.includes('broken listener'))).toBe(true);
    expect(nas.openConnections).toBe(1);
  });
});

describe('pings', () => {
  it('notice that the server is gone although nothing says so', async () => {
    const nas = await startNas();
    nas.onConnection = ({ socket }) => void ((socket as unknown as { _autoPong: boolean })._autoPong = false);
    const api = connect(nas, { timing: { pingIntervalMs: 30, pongLimitMs: 30, firstDelayMs: 5_000 } });
    const changes: LinkChange[] = [];
    api.link((change) => changes.push(change));
    await until(() => changes.length === 2);
    expect(changes[1]).toMatchObject({
      kind: 'disconnected',
      error: { message: expect.stringContaining('does not answer') as string },
    });
  });

  it('are not waited for after the machine has slept', async () => {
    const nas = (await startNas()).on('x', () => 'there');
    const api = connect(nas);
    await api.call('x', [], text);
    await api.call('x', [], text);
    expect(nas.connections).toHaveLength(1);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * 60_000 });
    try {
      expect(await api.call('x', [], text)).toBe('there');
      expect(nas.connections).toHaveLength(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it('keep a connection that says nothing', async () => {
    const nas = await startNas();
    let pings = 0;
    nas.onConnection = ({ socket }) => void socket.on('ping', () => pings++);
    const changes: string[] = [];
    connect(nas, { timing: { pingIntervalMs: 20, pongLimitMs: 200 } }).link((change) => changes.push(change.kind));
    await until(() => pings >= 5);
    expect(changes).toEqual(['connected']);
  });
});

describe('an idle connection', () => {
  it('is closed, and made again by the next call', async () => {
    const nas = (await startNas()).on('x', () => 'there');
    const api = connect(nas, { timing: { idleMs: 40 } });
    await api.call('x', [], text);
    expect(nas.openConnections).toBe(1);
    await until(() => nas.openConnections === 0);
    expect(await api.call('x', [], text)).toBe('there');
    expect(nas.connections).toHaveLength(2);
  });

  it('is none while a call is under way or a link is open', async () => {
    const nas = (await startNas()).on('slow', async () => {
      await pause(150);
      return 'there';
    });
    const api = connect(nas, { timing: { idleMs: 30 } });
    expect(await api.call('slow', [], text)).toBe('there');
    expect(nas.connections).toHaveLength(1);
    const link = api.link(() => undefined);
    await pause(100);
    expect(nas.openConnections).toBe(1);
    link.close();
    await until(() => nas.openConnections === 0);
    await pause(100);
    expect(nas.connections).toHaveLength(1);
  });

  it('stays closed while only events are waited for', async () => {
    const nas = (await startNas()).on('x', () => 'there');
    const api = connect(nas, { timing: { idleMs: 30 } });
    api.subscribe('virt.instance.query', () => undefined);
    await pause(30);
    expect(nas.connections).toEqual([]);
    await api.call('x', [], text);
    await until(() => nas.openConnections === 0);
  });
});

describe('subscribe()', () => {
  it('delivers events of its collection only, as they are', async () => {
    const nas = await startNas();
    const api = connect(nas);
    const events: CollectionEvent[] = [];
    api.subscribe('virt.instance.query', (event) => events.push(event));
    const changes: string[] = [];
    api.link((change) => changes.push(change.kind));
    await until(() => changes.length === 1);
    const { connection } = nas;
    connection.event('virt.instance.query', 'added', 'px-a');
    connection.event('pool.snapshot.query', 'added', 'tank@a');
    connection.event('virt.instance.query', 'changed', 'px-a', { status: 'RUNNING' });
    connection.event('virt.instance.query', 'exploded', 'px-a');
    connection.event('virt.instance.query', 'changed', { odd: 1 }, 'odd');
    connection.event('virt.instance.query', 'removed', 7);
    await until(() => events.length === 4);
    expect(events).toEqual([
      { kind: 'added', id: 'px-a', fields: {} },
      { kind: 'changed', id: 'px-a', fields: { status: 'RUNNING' } },
      { kind: 'changed', id: undefined, fields: {} },
      { kind: 'removed', id: 7, fields: {} },
    ]);
  });

  it('is in place again before a reconnected link says so', async () => {
    const nas = await startNas();
    nas.on('core.subscribe', async ({ connection, params }) => {
      await pause(30);
      connection.subscriptions.set('id', String(params[0]));
      return 'id';
    });
    const api = connect(nas);
    const seen: unknown[] = [];
    api.subscribe('virt.instance.query', ({ id }) => seen.push(id));
    api.link((change) => {
      if (change.kind === 'connected') nas.event('virt.instance.query', 'changed', nas.connections.length);
    });
    await until(() => seen.length === 1);
    nas.cut();
    await until(() => seen.length === 2);
    expect(seen).toEqual([1, 2]);
    expect(nas.count('core.subscribe')).toBe(2);
  });

  it('is made once for many listeners, and ended with the last', async () => {
    const nas = await startNas();
    const api = connect(nas);
    api.link(() => undefined);
    await until(() => nas.openConnections === 1);
    const [one, two] = [api.subscribe('c', () => undefined), api.subscribe('c', () => undefined)];
    await until(() => nas.count('core.subscribe') === 1);
    one.close();
    one.close();
    await pause(30);
    expect(nas.count('core.unsubscribe')).toBe(0);
    two.close();
    await until(() => nas.count('core.unsubscribe') === 1);
    expect(nas.count('core.subscribe')).toBe(1);
    expect(nas.connection.subscriptions.size).toBe(0);
  });

  it('is made again when the server ends it, and links are told that events were missed', async () => {
    const nas = await startNas();
    const api = connect(nas);
    api.subscribe('c', () => undefined);
    const changes: string[] = [];
    api.link((change) => changes.push(change.kind));
    await until(() => changes.length === 1);
    const end = { jsonrpc: '2.0', method: 'notify_unsubscribed', params: { collection: 'c', error: null } };
    nas.connection.send(end);
    await until(() => changes.length === 2);
    expect(changes).toEqual(['connected', 'connected']);
    expect(nas.count('core.subscribe')).toBe(2);
    nas.connection.send(end);
    await pause(50);
    expect(nas.count('core.subscribe')).toBe(2);
  });

  it('bears a server that has no such events', async () => {
    const nas = await startNas();
    nas.on('core.subscribe', () => ({ odd: true }));
    const log = new Lines();
    const api = connect(nas, { log });
    api.subscribe('c', () => undefined);
    const changes: string[] = [];
    api.link((change) => changes.push(change.kind));
    await until(() => changes.length === 1);
    expect(log.lines.some((line) => line.startsWith('warning: truenas has no events of c'))).toBe(true);
  });

  it('bears a listener that fails', async () => {
    const nas = (await startNas()).on('x', () => 'there');
    const api = connect(nas);
    api.subscribe('c', () => {
      throw new Error('broken listener');
    });
    await api.call('x', [], text);
    await until(() => nas.connection.subscriptions.size === 1);
    nas.event('c', 'added', 1);
    expect(await api.call('x', [], text)).toBe('there');
    expect(nas.connections).toHaveLength(1);
  });
});
