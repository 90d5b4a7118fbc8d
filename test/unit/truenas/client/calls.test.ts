import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod/mini';
import { refusalOf } from '../../../../src/truenas/errors';
import { callError, invalid, noSuchMethod, Refusal, SILENCE, type Request } from './scriptedNas';
import { connect, failureOf, Lines, pause, startNas, until } from './world';

const text = z.string();
const number = z.number();

/** Answers nothing until it is told what. */
class Held {
  readonly requests: Request[] = [];
  private readonly resolves: ((answer: unknown) => void)[] = [];
  handler = (request: Request): Promise<unknown> => {
    this.requests.push(request);
    return new Promise((resolve) => this.resolves.push(resolve));
  };
  answer(index: number, answer: unknown): void {
    this.resolves[index]!(answer);
  }
}

describe('a call', () => {
  it('parses what is returned, and lets unknown fields through', async () => {
    const nas = (await startNas()).on('virt.global.config', () => ({ pool: 'tank', new_in_27: [1] }));
    const schema = z.object({ pool: z.string() });
    expect(await connect(nas).call('virt.global.config', [], schema)).toEqual({ pool: 'tank' });
  });

  it('names the field that is not as expected', async () => {
    const nas = (await startNas()).on('virt.global.config', () => ({ pool: 5 }));
    const schema = z.object({ pool: z.string() });
    const error = await failureOf(connect(nas).call('virt.global.config', [], schema), 'protocol');
    expect(error.message).toContain('(pool)');
  });

  it('is refused by kind, with the numbers for whoever asked', async () => {
    const nas = (await startNas())
      .on('a', () => invalid([null, 'VirtInstance px-web does not exist', 2]))
      .on('b', () => callError(14, 'EFAULT', 'Virtualization not initialized.'))
      .on('c', () => noSuchMethod);
    const api = connect(nas);
    const about = { sandbox: 'web' };
    const missing = await failureOf(api.call('a', [], text, { about }), 'not-found');
    expect(missing.message).toBe('There is no sandbox "web".');
    expect(refusalOf(missing)?.errno).toBe(2);
    const failed = await failureOf(api.call('b', [], text), 'failed');
    expect(failed.message).toBe('TrueNAS could not do that: Virtualization not initialized.');
    await failureOf(api.call('c', [], text), 'unsupported');
  });

  it('is matched by its id, in whatever order the answers come', async () => {
    const held = new Held();
    const nas = (await startNas()).on('x', held.handler);
    const api = connect(nas);
    const answers = [1, 2, 3].map((count) => api.call('x', [count], number));
    await until(() => held.requests.length === 3);
    for (const index of [2, 0, 1]) held.answer(index, held.requests[index]!.params[0]);
    expect(await Promise.all(answers)).toEqual([1, 2, 3]);
  });

  it('is not disturbed by answers that nobody asked for', async () => {
    const nas = (await startNas()).on('x', ({ connection, id }) => {
      for (const other of [id + 1000, String(id), [id], { id }, true, -1, 1e300]) {
        connection.send({ jsonrpc: '2.0', id: other, result: 'wrong' });
      }
      connection.send({ jsonrpc: '2.0', id: 12_345, error: { code: 1 } });
      connection.send({ jsonrpc: '2.0', id, result: 'right' });
      connection.send({ jsonrpc: '2.0', id, result: 'twice' });
      return SILENCE;
    });
    const api = connect(nas);
    expect(await api.call('x', [], text)).toBe('right');
    expect(await api.call('x', [], text)).toBe('right');
  });

  it('ends after its time, and the connection stays', async () => {
    const nas = (await startNas()).on('x', () => SILENCE).on('y', () => 'there');
    const api = connect(nas);
    await failureOf(api.call('x', [], text, { limitMs: 30 }), 'timeout');
    expect(await api.call('y', [], text)).toBe('there');
    expect(nas.connections).toHaveLength(1);
  });

  it('may take for ever', async () => {
    const held = new Held();
    const nas = (await startNas()).on('x', held.handler);
    const answer = connect(nas).call('x', [], text, { limitMs: Infinity });
    await until(() => held.requests.length === 1);
    held.answer(0, 'at last');
    expect(await answer).toBe('at last');
  });

  it('fails when the connection breaks meanwhile, and the next one connects at once', async () => {
    const nas = (await startNas()).on('x', () => SILENCE).on('y', () => 'there');
    const api = connect(nas);
    const broken = failureOf(api.call('x', [], text), 'unreachable');
    await until(() => nas.count('x') === 1);
    nas.cut();
    await broken;
    expect(await api.call('y', [], text)).toBe('there');
    expect(nas.count('x')).toBe(1);
  });

  it('connects at once when the connection went away while nobody looked', async () => {
    const nas = (await startNas()).on('x', () => 'there');
    const api = connect(nas);
    await api.call('x', [], text);
    nas.cut();
    await pause(20);
    expect(await api.call('x', [], text)).toBe('there');
    expect(nas.connections).toHaveLength(2);
  });

  it('fails right away when nothing listens, and works as soon as something does', async () => {
    const nas = (await startNas()).on('x', () => 'there');
    const api = connect(nas);
    await nas.down();
    const started = Date.now();
    await failureOf(api.call('x', [], text), 'unreachable');
    await failureOf(api.call('x', [], text), 'unreachable');
    expect(Date.now() - started).toBeLessThan(500);
    await nas.up();
    expect(await api.call('x', [], text)).toBe('there');
  });

  it('is made again once where the server had too much to do, or had ended the session', async () => {
    const tooMany = new Refusal({ code: -32000, message: 'Maximum number of concurrent calls (20) has exceeded' });
    const answers = {
      x: [tooMany, 'there'],
      y: [tooMany, tooMany, 'late'],
      z: [callError(207, 'ENOTAUTHENTICATED', 'n')],
    };
    const nas = (await startNas())
      .on('x', () => answers.x.shift())
      .on('y', () => answers.y.shift())
      .on('z', () => answers.z.shift() ?? 'there');
    const api = connect(nas);
    expect(await api.call('x', [], text)).toBe('there');
    await failureOf(api.call('y', [], text), 'busy');
    expect(await api.call('z', [], text)).toBe('there');
    expect(nas.count('auth.login_ex')).toBe(2);
  });

  it('cannot be made after the connection was closed', async () => {
    const nas = (await startNas()).on('x', () => SILENCE);
    const api = connect(nas);
    const waiting = failureOf(api.call('x', [], text), 'unreachable');
    await until(() => nas.count('x') === 1);
    api.close();
    expect((await waiting).message).toContain('has been closed');
    await failureOf(api.call('x', [], text), 'unreachable');
    await failureOf(api.job('x', [], text), 'unreachable');
    await failureOf(api.server(), 'unreachable');
    api.link(() => undefined);
    await pause(60);
    expect(nas.count('auth.login_ex')).toBe(1);
  });

  it('ends when the connection is closed while it is being made', async () => {
    const nas = (await startNas()).on('auth.login_ex', () => SILENCE);
    const api = connect(nas);
    const waiting = failureOf(api.call('x', [], text), 'unreachable');
    await until(() => nas.count('auth.login_ex') === 1);
    api.close();
    await waiting;
    await until(() => nas.openConnections === 0);
  });
});

describe('many calls', () => {
  it('are ten at once, and the others in the order they came', async () => {
    const order: unknown[] = [];
    const nas = (await startNas()).on('x', async ({ params }) => {
      order.push(params[0]);
      await pause(5);
      return params[0];
    });
    const api = connect(nas);
    await api.server().catch(() => undefined);
    const numbers = Array.from({ length: 60 }, (_, index) => index);
    expect(await Promise.all(numbers.map((count) => api.call('x', [count], number)))).toEqual(numbers);
    expect(order).toEqual(numbers);
    expect(nas.mostAtOnce).toBe(10);
    expect(nas.connections).toHaveLength(1);
  });

  it('leave the queue when they are cancelled, and are never sent', async () => {
    const held = new Held();
    const nas = (await startNas()).on('x', held.handler).on('y', () => 'there');
    const api = connect(nas);
    const running = Array.from({ length: 10 }, () => api.call('x', [], text));
    await until(() => held.requests.length === 10);
    const stop = new AbortController();
    const queued = failureOf(api.call('cancelled.in.the.queue', [], text, { signal: stop.signal }), 'cancelled');
    const tooLate = failureOf(api.call('too.late.in.the.queue', [], text, { limitMs: 30 }), 'timeout');
    const next = api.call('y', [], text);
    stop.abort();
    await queued;
    await tooLate;
    held.requests.forEach((_, index) => held.answer(index, 'done'));
    await Promise.all(running);
    expect(await next).toBe('there');
    expect(nas.methods()).not.toContain('cancelled.in.the.queue');
    expect(nas.methods()).not.toContain('too.late.in.the.queue');
  });

  it('hold their place on the server until it answers, also when nobody waits any more', async () => {
    const held = new Held();
    const nas = (await startNas()).on('x', held.handler).on('y', () => 'there');
    const api = connect(nas);
    const stop = new AbortController();
    const given = Array.from({ length: 10 }, () =>
      failureOf(api.call('x', [], text, { signal: stop.signal }), 'cancelled'),
    );
    await until(() => held.requests.length === 10);
    stop.abort();
    await Promise.all(given);
    const next = api.call('y', [], text);
    await pause(30);
    expect(nas.count('y')).toBe(0);
    held.answer(3, 'late');
    expect(await next).toBe('there');
  });

  it('share one connection, one login and one failure', async () => {
    const nas = await startNas();
    const log = new Lines();
    const api = connect(nas, { log });
    await nas.down();
    const failures = Array.from({ length: 40 }, () => failureOf(api.call('x', [], text), 'unreachable'));
    await Promise.all(failures);
    expect(log.lines.filter((line) => line.includes('not connected'))).toHaveLength(1);
    await nas.up();
    nas.on('x', () => 'there');
    await Promise.all(Array.from({ length: 40 }, () => api.call('x', [], text)));
    expect(nas.count('auth.login_ex')).toBe(1);
  });

  it('fail together when a queue of them loses its connection', async () => {
    const nas = (await startNas()).on('x', () => SILENCE);
    const api = connect(nas);
    const calls = Array.from({ length: 25 }, () => failureOf(api.call('x', [], text), 'unreachable'));
    await until(() => nas.count('x') === 10);
    await nas.down();
    await Promise.all(calls);
    expect(nas.count('x')).toBe(10);
  });

  it('are cancelled before anything happens by a signal that has aborted', async () => {
    const nas = await startNas();
    await failureOf(connect(nas).call('x', [], text, { signal: AbortSignal.abort() }), 'cancelled');
    expect(nas.connections).toEqual([]);
  });
});

describe('the size of a message', () => {
  it('is looked at before it is sent', async () => {
    const nas = (await startNas()).on('x', () => 'there').on('filesystem.file_receive', () => true);
    const api = connect(nas);
    const frame = JSON.stringify({ jsonrpc: '2.0', id: 9, method: 'x', params: [''] }).length;
    expect(await api.call('x', ['a'.repeat(65_536 - frame - 1)], text)).toBe('there');
    await failureOf(api.call('x', ['a'.repeat(65_536)], text), 'invalid');
    expect(await api.call('filesystem.file_receive', ['/x', 'a'.repeat(2_000_000)], z.boolean())).toBe(true);
    await failureOf(api.call('filesystem.file_receive', ['/x', 'a'.repeat(2_100_000)], z.boolean()), 'invalid');
    expect(nas.count('x')).toBe(1);
    expect(nas.openConnections).toBe(1);
  });

  it('is smaller before the login', async () => {
    const nas = await startNas();
    await failureOf(connect(nas, { target: { username: 'u'.repeat(8_000) } }).call('x', [], text), 'invalid');
    expect(nas.requests).toEqual([]);
  });
});

describe('what TrueNAS may send that is no answer', () => {
  it.each([
    ['text that is no JSON', '{"jsonrpc": "2.0", "id"'],
    ['an array', '[]'],
    ['a number', '5'],
    ['null', 'null'],
    ['an error about a message that it could not read', '{"jsonrpc":"2.0","id":null,"error":{"code":-32700}}'],
  ])('%s ends the connection, and what waits with it', async (_, frame) => {
    const nas = (await startNas())
      .on('y', () => 'there')
      .on('x', ({ connection }) => {
        connection.send(frame);
        return SILENCE;
      });
    const api = connect(nas);
    await failureOf(api.call('x', [], text), 'protocol');
    expect(await api.call('y', [], text)).toBe('there');
    expect(nas.connections).toHaveLength(2);
  });

  it('a binary frame ends the connection', async () => {
    const nas = (await startNas()).on('x', ({ connection }) => {
      connection.socket.send(Buffer.from('{"jsonrpc":"2.0","id":1,"result":"x"}'), { binary: true });
      return SILENCE;
    });
    await failureOf(connect(nas).call('x', [], text), 'protocol');
  });

  it.each([
    [1008, 'forbidden', 'does not let this machine in'],
    [1003, 'protocol', 'do not understand each other'],
    [1009, 'protocol', 'do not understand each other'],
    [1011, 'unreachable', 'broke'],
    [1000, 'unreachable', 'broke'],
  ] as const)('close code %i is of kind %s', async (code, kind, words) => {
    const nas = (await startNas()).on('x', ({ connection }) => {
      connection.socket.close(code, 'because');
      return SILENCE;
    });
    expect((await failureOf(connect(nas).call('x', [], text), kind)).message).toContain(words);
  });

  it('an unknown notification is passed over', async () => {
    const nas = (await startNas()).on('x', ({ connection }) => {
      connection.send({ jsonrpc: '2.0', method: 'new_in_27', params: {} });
      connection.send({ jsonrpc: '2.0', method: 'collection_update', params: 5 });
      return 'there';
    });
    expect(await connect(nas).call('x', [], text)).toBe('there');
  });
});

describe('server()', () => {
  const TRUENAS_25 = { 'virt.global.config': {}, 'pool.snapshot.query': 3 };
  const FANGTOOTH = { 'virt.global.config': {} };
  const TRUENAS_26 = { 'lxc.config': {}, 'pool.snapshot.query': 0 };
  it.each([
    ['25.10', TRUENAS_25, 'virt', 'pool.snapshot'],
    ['25.04', FANGTOOTH, 'virt', 'zfs.snapshot'],
    ['26', TRUENAS_26, 'container', 'pool.snapshot'],
    ['24.10', {}, 'none', 'zfs.snapshot'],
  ] as const)('finds out what %s has by asking for it', async (version, methods, containers, snapshots) => {
    const nas = (await startNas()).on('system.version', () => `TrueNAS-${version}`);
    for (const [method, answer] of Object.entries(methods)) nas.on(method, () => answer);
    const api = connect(nas);
    const info = { version: `TrueNAS-${version}`, containers };
    expect(await Promise.all([api.server(), api.server()])).toEqual([info, info]);
    expect(await api.server()).toEqual(info);
    expect(nas.count('system.version')).toBe(1);
    expect(await Promise.all([api.snapshotMethods(), api.snapshotMethods()])).toEqual([snapshots, snapshots]);
    expect(nas.requests.find(({ method }) => method === 'pool.snapshot.query')?.params).toEqual([[], { count: true }]);
    nas.cut();
    await vi.waitFor(async () => {
      await api.server();
      expect(nas.count('system.version')).toBe(2);
    });
  });

  it('takes a method that refuses this user for one that is there', async () => {
    const nas = (await startNas())
      .on('system.version', () => 'TrueNAS-25.10.1')
      .on('virt.global.config', () => callError(13, 'EACCES', 'Not authorized'))
      .on('pool.snapshot.query', () => callError(13, 'EACCES', 'Not authorized'));
    const api = connect(nas);
    expect(await api.server()).toMatchObject({ containers: 'virt' });
    expect(await api.snapshotMethods()).toBe('pool.snapshot');
  });

  it('asks again after it could not find out', async () => {
    const nas = (await startNas()).on('system.version', () => 5);
    const api = connect(nas);
    await failureOf(api.server(), 'protocol');
    nas.on('system.version', () => 'TrueNAS-24.10');
    expect(await api.server()).toMatchObject({ containers: 'none' });
  });
});
