import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import type { TrueNasApi } from '../../../../src/truenas/api';
import { PixelsError } from '../../../../src/sandbox/errors';
import { Refusal, SILENCE, type Connection, type ScriptedNas } from './scriptedNas';
import { connect, Lines, startNas } from './world';

/** The same numbers for the same seed (mulberry32). */
class Dice {
  constructor(private state: number) {}

  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
}

const ODD: readonly unknown[] = [
  null, true, false, 0, -0, -1, 101, 1e300, -1e300, 2 ** 53, 0.1, '', 'SUCCESS', 'FAILED', '101', '\u0000\u001b[2J', '\ud800',
  'x'.repeat(5_000), [], {}, [[]], { $date: 1e300 }, { $date: 'x' }, { id: 101 }, { response_type: 'SUCCESS' }, { msg: 'connected' },
]; // prettier-ignore

const KEYS = ['id', 'method', 'state', 'result', 'error', 'progress', 'percent', 'description', 'arguments', 'extra', 'exc_info',
  'errno', 'data', 'code', 'reason', 'fields', 'msg', 'collection', '__proto__', 'constructor', 'toString', '']; // prettier-ignore

/** Any JSON value. */
function anything(dice: Dice, depth = 3): unknown {
  const kind = dice.below(depth > 0 ? 4 : 2);
  if (kind < 2) return dice.pick(ODD);
  const size = dice.below(5);
  if (kind === 2) return Array.from({ length: size }, () => anything(dice, depth - 1));
  return Object.fromEntries(Array.from({ length: size }, () => [dice.pick(KEYS), anything(dice, depth - 1)]));
}

/** This value with something in it replaced by anything, or taken out. */
function damaged(value: unknown, dice: Dice): unknown {
  if (dice.below(6) === 0 || typeof value !== 'object' || value === null) return anything(dice);
  if (Array.isArray(value)) return value.map((item) => (dice.below(3) === 0 ? damaged(item, dice) : (item as unknown)));
  const entries = Object.entries(value).flatMap(([key, item]): [string, unknown][] => {
    const fate = dice.below(6);
    if (fate === 0) return [];
    return [[key, fate === 1 ? damaged(item, dice) : item]];
  });
  return Object.fromEntries(entries);
}

const job = {
  id: 101,
  method: 'job',
  arguments: ['px-a'],
  state: 'SUCCESS',
  progress: { percent: 0, description: 'rootfs: 45%', extra: null },
  result: 'made',
  error: '[EFAULT] no',
  exc_info: { type: 'VALIDATION', errno: 22, extra: [['a.b', 'no', 22]] },
};

const refusal = {
  code: -32602,
  message: 'Invalid params',
  data: { error: 22, errname: 'EINVAL', reason: '[EINVAL] a.b: no', extra: [['a.b', 'no', 22]] },
};

/** Something that a broken server may send at any time. */
function frame(dice: Dice): string | Buffer {
  const event = {
    jsonrpc: '2.0',
    method: 'collection_update',
    params: { msg: 'changed', collection: 'core.get_jobs', id: 101, fields: job },
  };
  const gone = { jsonrpc: '2.0', method: 'notify_unsubscribed', params: { collection: 'core.get_jobs', error: null } };
  const answer = { jsonrpc: '2.0', id: dice.below(8), result: 'made' };
  const text = JSON.stringify(damaged(dice.pick([event, gone, answer, event]), dice));
  switch (dice.below(12)) {
    case 0:
      return text.slice(0, dice.below(text.length));
    case 1:
      return Buffer.from(text);
    case 2:
      return text.replace(/101/, '1e999');
    case 3:
      return '['.repeat(200_000) + ']'.repeat(200_000);
    case 4:
      return `{"id":1,"result":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`;
    default:
      return text;
  }
}

function disturb(connection: Connection, dice: Dice, wildness: number): void {
  if (dice.next() > wildness) return;
  for (let count = dice.below(4); count > 0; count--) {
    const message = frame(dice);
    connection.socket.send(message, { binary: typeof message !== 'string' });
  }
  if (dice.below(12) === 0) connection.socket.terminate();
  if (dice.below(12) === 0) connection.socket.close(dice.pick([1000, 1003, 1008, 1011]));
}

/** A server of which nothing can be expected. */
function confuse(nas: ScriptedNas, dice: Dice): void {
  const wildness = dice.next() ** 2;
  const answer =
    (right: unknown) =>
    (request: { connection: Connection }): unknown => {
      disturb(request.connection, dice, wildness);
      if (dice.next() > wildness) return right;
      switch (dice.below(6)) {
        case 0:
          return anything(dice);
        case 1:
          return new Refusal(damaged(refusal, dice));
        case 2:
          return dice.below(3) === 0 ? SILENCE : damaged(right, dice);
        default:
          return right;
      }
    };
  nas
    .on(
      'auth.login_ex',
      dice.below(8) === 0 ? answer({ response_type: 'SUCCESS' }) : () => ({ response_type: 'SUCCESS' }),
    )
    .on('core.subscribe', answer('id'))
    .on('core.get_jobs', answer([job]))
    .on('system.version', answer('TrueNAS-25.10.1'))
    .on('virt.global.config', answer({ pool: 'tank' }))
    .on('lxc.config', answer({}))
    .on('pool.snapshot.query', answer(3))
    .on('auth.generate_token', answer('token'))
    .on('call', answer({ list: [{ id: 1 }] }))
    .on('job', answer(101));
  nas.onShell = (socket) => {
    socket.on('error', () => undefined);
    socket.once('message', () => {
      if (dice.below(3) > 0) socket.send(JSON.stringify(damaged({ msg: 'connected', id: 'shell' }, dice)));
      const message = frame(dice);
      socket.send(message, { binary: typeof message !== 'string' });
      if (dice.below(2) > 0) socket.close();
    });
  };
}

async function useEverything(api: TrueNasApi): Promise<PromiseSettledResult<unknown>[]> {
  const text = z.string();
  const list = z.object({ list: z.array(z.object({ id: z.number() })) });
  api.link(() => undefined);
  api.subscribe('virt.instance.query', () => undefined);
  return Promise.allSettled([
    api.call('call', ['a'], list),
    api.job('job', ['px-a'], text, { onProgress: () => undefined, limitMs: 400 }),
    api.server(),
    api.shell({ virt_instance_id: 'px-a', command: 'sh' }).then(({ stream }) => {
      stream.write('x');
      stream.resume();
      stream.destroy();
    }),
    api.job('job', ['px-a'], text, { limitMs: 300 }),
    api.call('call', [], text, { signal: AbortSignal.timeout(20) }),
  ]);
}

const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 60);

describe('a server that answers anything', () => {
  it(
    'makes nothing hang or crash, and every failure is one that a person can read',
    async () => {
      const nas = await startNas();
      const log = new Lines();
      const timing = {
        callLimitMs: 120,
        loginLimitMs: 120,
        jobPollMs: 15,
        firstDelayMs: 5,
        longestDelayMs: 10,
        loginWindowMs: 0,
      };
      const failures = new Map<string, number>();
      let successes = 0;
      for (let seed = 1; seed <= ROUNDS; seed++) {
        confuse(nas, new Dice(seed));
        const api = connect(nas, { log, timing });
        const started = Date.now();
        for (const outcome of await useEverything(api)) {
          if (outcome.status === 'fulfilled') {
            successes++;
            continue;
          }
          const reason: unknown = outcome.reason;
          if (!(reason instanceof PixelsError)) throw new Error(`seed ${seed}: no PixelsError`, { cause: reason });
          failures.set(reason.kind, (failures.get(reason.kind) ?? 0) + 1);
          expect(reason.message, `seed ${seed}`).toMatch(/^[A-Z0-9].*\.$/s);
          // eslint-disable-next-line no-control-regex -- what must not be there
          expect(reason.message, `seed ${seed}`).not.toMatch(/undefined|\[object|[\u0000-\u001f]/);
        }
        expect(Date.now() - started, `seed ${seed}`).toBeLessThan(3_000);
        api.close();
      }
      expect(successes).toBeGreaterThan(ROUNDS);
      expect([...failures.keys()]).toEqual(expect.arrayContaining(['protocol', 'unreachable']));
      expect(log.lines.filter((line) => line.startsWith('error'))).toEqual([]);
    },
    ROUNDS * 1_000,
  );
});
