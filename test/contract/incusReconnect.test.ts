import { afterAll, beforeAll, expect, it } from 'vitest';
import { erasePrivateIncus, startPrivateIncus, type PrivateIncus } from '../../scripts/lib/private-incus.mjs';
import { connectIncus } from '../../src/incus';
import type { HostEvent } from '../../src/sandbox/host';
import { silentLog } from '../../src/sandbox/log';
import { parseName } from '../../src/sandbox/name';
import { RawIncus } from '../support/rawIncus';
import { eventually, failure } from './support';

/** A daemon only for this file, because it is killed. */
const DAEMON = 'ctkill';
let daemon: PrivateIncus;

beforeAll(async () => {
  daemon = await startPrivateIncus(DAEMON);
});

afterAll(async () => {
  await erasePrivateIncus(DAEMON);
});

it('a watch comes back after the daemon was killed and started again, and says so', async () => {
  const host = connectIncus({ kind: 'unix', socket: daemon.socket }, { log: silentLog });
  const events: HostEvent[] = [];
  const kinds = (): string[] => events.map(({ kind }) => kind);
  const watch = host.watch((event) => events.push(event));
  await eventually(5_000, () => (kinds().includes('connected') ? true : undefined));

  await daemon.kill();
  await eventually(2_000, () => (kinds().includes('disconnected') ? true : undefined));
  await eventually(2_000, async () => {
    const error = await failure(host.list(), 'unreachable');
    return error.hint?.includes('systemctl start incus') === true ? true : undefined;
  });

  await daemon.start();
  await eventually(10_000, () => (kinds().filter((kind) => kind === 'connected').length === 2 ? true : undefined));
  expect(kinds()).toEqual(['connected', 'disconnected', 'connected']);
  expect(events[1]).toMatchObject({ error: { name: 'PixelsError', kind: 'unreachable' } });

  events.length = 0;
  const raw = new RawIncus(daemon.socket);
  await raw.must('POST', '/1.0/instances', { name: 'px-after', source: { type: 'none' } });
  await eventually(2_000, () => events.find((event) => event.kind === 'changed' && event.name === parseName('after')));
  expect((await host.list()).map(({ name }) => name)).toEqual(['after']);
  watch.close();

  await raw.must('DELETE', '/1.0/instances/px-after');
  raw.close();
  host.close();
});
