import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { connectIncus } from '../../src/incus';
import type { Closable, SandboxHost } from '../../src/sandbox/host';
import { Inventory, type InventoryChange } from '../../src/sandbox/inventory';
import { silentLog } from '../../src/sandbox/log';
import { parseLabel, parseName } from '../../src/sandbox/name';
import { makeTestProject, type TestProject } from '../support/testProject';

const one = parseName('inv-one');
let project: TestProject;
let host: SandboxHost;
let inventory: Inventory;
let look: Closable | undefined;
let changes: InventoryChange[];

beforeAll(async () => {
  project = await makeTestProject('pixels-inventory');
  host = connectIncus({ kind: 'unix', socket: project.socket, project: project.project }, { log: silentLog });
  await host.create({ name: one, image: project.image, limits: {}, placement: {}, state: {} });
  await host.createCheckpoint(one, parseLabel('first'));
  inventory = new Inventory(host, silentLog);
  inventory.onDidChange((change) => changes.push(change));
});

afterEach(() => {
  look?.close();
  look = undefined;
});

afterAll(async () => {
  host.close();
  await project.remove();
});

async function startLooking(): Promise<void> {
  changes = [];
  look = inventory.look();
  await expect.poll(() => changes).toContainEqual({ kind: 'all' });
}

it('is loaded by the first look', async () => {
  expect(inventory.state).toEqual({ kind: 'loading' });
  await startLooking();
  expect(inventory.state).toEqual({ kind: 'ready' });
  expect(inventory.sandboxes.map((sandbox) => sandbox.name)).toEqual([one]);
  expect(inventory.sandbox(one)).toMatchObject({ status: 'stopped', checkpointCount: 1 });
});

it('tells of a start and a stop by somebody else, and finds the address without being told', async () => {
  await startLooking();
  await project.raw.must('PUT', '/1.0/instances/px-inv-one/state', { action: 'start' });
  await expect.poll(() => inventory.sandbox(one)?.status).toBe('running');
  await expect.poll(() => inventory.sandbox(one)?.addresses.length, { timeout: 10_000 }).toBeGreaterThan(0);
  await project.raw.must('PUT', '/1.0/instances/px-inv-one/state', { action: 'stop', force: true });
  await expect.poll(() => inventory.sandbox(one)).toMatchObject({ status: 'stopped', addresses: [] });
  expect(changes).toContainEqual({ kind: 'sandbox', name: one });
});

it('tells of new and of gone sandboxes, and of nothing that is not a sandbox', async () => {
  await startLooking();
  for (const name of ['px-inv-two', 'other']) {
    await project.raw.must('POST', '/1.0/instances', { name, source: { type: 'none' } });
  }
  const two = parseName('inv-two');
  await expect.poll(() => inventory.sandbox(two)?.status).toBe('stopped');
  for (const name of ['px-inv-two', 'other']) await project.raw.must('DELETE', `/1.0/instances/${name}`);
  await expect.poll(() => inventory.sandbox(two)).toBeUndefined();
  expect(inventory.sandboxes.map((sandbox) => sandbox.name)).toEqual([one]);
});

it('knows checkpoints without asking twice, and forgets them when they change', async () => {
  await startLooking();
  const first = inventory.checkpoints(one);
  expect(inventory.checkpoints(one)).toBe(first);
  await project.raw.must('POST', '/1.0/instances/px-inv-one/snapshots', { name: 'second' });
  await expect.poll(() => inventory.sandbox(one)?.checkpointCount).toBe(2);
  expect((await inventory.checkpoints(one)).map(({ label }) => label)).toEqual(['first', 'second']);
  await project.raw.must('DELETE', '/1.0/instances/px-inv-one/snapshots/second');
  await expect.poll(() => inventory.sandbox(one)?.checkpointCount).toBe(1);
});

it('catches up with what happened while nobody looked', async () => {
  await startLooking();
  look?.close();
  await project.raw.must('POST', '/1.0/instances', { name: 'px-inv-three', source: { type: 'none' } });
  expect(inventory.sandbox(parseName('inv-three'))).toBeUndefined();
  await startLooking();
  expect(inventory.sandbox(parseName('inv-three'))?.status).toBe('stopped');
});

it('says when there is no server, and what it knew stays visible', async () => {
  const nowhere = connectIncus({ kind: 'unix', socket: '/nonexistent/unix.socket' }, { log: silentLog });
  const empty = new Inventory(nowhere, silentLog);
  const looking = empty.look();
  await expect.poll(() => empty.state).toMatchObject({ kind: 'failed', error: { kind: 'unreachable' } });
  looking.close();
  nowhere.close();
});
