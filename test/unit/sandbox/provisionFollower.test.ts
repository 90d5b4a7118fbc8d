import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PixelsError } from '../../../src/sandbox/errors';
import type { Closable } from '../../../src/sandbox/host';
import { Inventory } from '../../../src/sandbox/inventory';
import { silentLog } from '../../../src/sandbox/log';
import type { SandboxName } from '../../../src/sandbox/name';
import { ProvisionFollower } from '../../../src/sandbox/provisionFollower';
import type { ProvisionProgress } from '../../../src/sandbox/provisioning';
import { FakeHost } from '../vscode/fakeHost';

const web = 'web' as SandboxName;
let server: FakeHost;
let told: SandboxName[];
let open: Closable[];
let follower: ProvisionFollower;

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeHost();
  told = [];
  open = [];
});
afterEach(() => {
  for (const each of open.reverse()) each.close();
  vi.useRealTimers();
});

async function look(): Promise<void> {
  const inventory = new Inventory(server.asHost(), silentLog);
  open.push(inventory.look());
  follower = new ProvisionFollower(inventory, server.provisioner, silentLog, (name) => told.push(name));
  open.push(follower);
  await settled();
}

const settled = () => vi.advanceTimersByTimeAsync(200);

async function changed(name: string): Promise<void> {
  server.changed(name);
  await settled();
}

function progress(title: string, outcome: ProvisionProgress['outcome'] = 'running'): ProvisionProgress {
  const step = { id: 'x', title, number: 1, outcome: 'running', retries: 0, lastLines: [] } as const;
  return { outcome, stepCount: 2, steps: [step] };
}

it('follows what is being carried out, and nothing else', async () => {
  server.put('busy', 'running', [], 'running');
  server.put('complete', 'running', [], 'done');
  server.put('broken', 'running', [], 'failed');
  server.put('off', 'stopped', [], 'running');
  server.put('plain');
  await look();
  expect([...server.followed.keys()]).toEqual(['busy']);
});

it('tells the lines of a burst as one change', async () => {
  server.put('web', 'running', [], 'running');
  await look();
  for (const title of ['one', 'two', 'three']) server.followed.get('web')!.say(progress(title));
  await settled();
  expect(told).toEqual(['web']);
  expect(follower.of(web)).toEqual(progress('three'));
});

it('begins with a sandbox whose recipe is begun later, and ends its session when it is stopped', async () => {
  server.put('web');
  await look();
  expect(server.followed.size).toBe(0);
  server.put('web', 'running', [], 'running');
  await changed('web');
  server.followed.get('web')!.say(progress('one'));
  server.put('web', 'stopped', [], 'running');
  await changed('web');
  expect(server.followed.size).toBe(0);
  server.put('web', 'running', [], 'running');
  await changed('web');
  expect(server.followed.size).toBe(1);
});

it('follows no sandbox that something is being done to', async () => {
  server.put('web', 'running', [], 'running');
  const mark = { action: 'restore', id: 'x', host: 'elsewhere', pid: 1, since: Date.now() } as const;
  server.sandboxes.set('web', { ...server.sandboxes.get('web')!, mark });
  await look();
  expect(server.followed.size).toBe(0);
});

it('keeps one session when other things about the sandbox change', async () => {
  server.put('web', 'running', [], 'running');
  await look();
  const session = server.followed.get('web');
  server.put('web', 'running', ['ready'], 'running');
  await changed('web');
  server.tell({ kind: 'connected' });
  await settled();
  expect(server.followed.get('web')).toBe(session);
});

it('ends every session when the server is lost, and begins again when it is back, still knowing what was said', async () => {
  server.put('web', 'running', [], 'running');
  await look();
  server.followed.get('web')!.say(progress('one'));
  server.tell({ kind: 'disconnected', error: new PixelsError('unreachable', 'It is gone.') });
  expect(server.followed.size).toBe(0);
  expect(follower.of(web)).toEqual(progress('one'));
  server.tell({ kind: 'connected' });
  await settled();
  expect(server.followed.size).toBe(1);
  expect(follower.of(web)).toEqual(progress('one'));
});

it('begins again by itself when a session broke, with pauses that grow and an end to their growth', async () => {
  server.put('web', 'running', [], 'running');
  await look();
  for (const pauseMs of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
    server.followed.get('web')!.fail(new PixelsError('unreachable', 'It broke off.'));
    await vi.advanceTimersByTimeAsync(pauseMs - 100);
    expect(server.followed.size).toBe(0);
    await vi.advanceTimersByTimeAsync(200);
    expect(server.followed.size).toBe(1);
  }
});

it('begins again when a session ended while its recipe went on, as after a restart that was over too soon to be told', async () => {
  server.put('web', 'running', [], 'running');
  await look();
  server.followed.get('web')!.say(progress('one'));
  server.followed.get('web')!.end(progress('one'));
  await vi.advanceTimersByTimeAsync(1100);
  expect(server.followed.size).toBe(1);
  server.followed.get('web')!.say(progress('two'));
  expect(follower.of(web)).toEqual(progress('two'));
});

it('does not wait for a session for ever that says nothing: it asks anew, while one that speaks is left alone', async () => {
  server.put('web', 'running', [], 'running');
  await look();
  const dead = server.followed.get('web')!;
  for (let minute = 0; minute < 5; minute++) {
    await vi.advanceTimersByTimeAsync(60_000);
    dead.say(progress(`step ${minute}`));
  }
  expect(server.followed.get('web')).toBe(dead);
  await vi.advanceTimersByTimeAsync(122_000);
  expect(server.followed.size).toBe(1);
  expect(server.followed.get('web')).not.toBe(dead);
  dead.say(progress('a late word'));
  expect(follower.of(web)).toEqual(progress('step 4'));
});

it('does not begin again once there is nothing to follow', async () => {
  server.put('web', 'running', [], 'running');
  server.put('db', 'running', [], 'running');
  await look();
  for (const name of ['web', 'db']) server.followed.get(name)!.end(progress('one', 'done'));
  server.put('web', 'running', [], 'done');
  server.sandboxes.delete('db');
  await changed('web');
  await changed('db');
  await vi.advanceTimersByTimeAsync(300_000);
  expect(server.followed.size).toBe(0);
});

it('leaves bases to whoever builds them', async () => {
  server.put('base-agent', 'running', [], 'running');
  await look();
  await changed('base-agent');
  expect(server.followed.size).toBe(0);
});

it('keeps what a failed step said, until the recipe is begun again', async () => {
  server.put('web', 'running', [], 'running');
  await look();
  const failed = progress('one', 'failed');
  server.followed.get('web')!.say(failed);
  server.followed.get('web')!.end(failed);
  server.put('web', 'running', [], 'failed');
  await changed('web');
  expect(server.followed.size).toBe(0);
  expect(follower.of(web)).toEqual(failed);
  server.put('web', 'running', [], 'running');
  await changed('web');
  expect(server.followed.size).toBe(1);
  expect(follower.of(web)).toBeUndefined();
});

it('ends the session of a sandbox that is destroyed, and forgets it', async () => {
  server.put('web', 'running', [], 'running');
  await look();
  server.followed.get('web')!.say(progress('one'));
  server.sandboxes.delete('web');
  await changed('web');
  expect(server.followed.size).toBe(0);
  expect(follower.of(web)).toBeUndefined();
});

it('ends everything when it is closed, and tells nothing any more', async () => {
  server.put('web', 'running', [], 'running');
  await look();
  server.followed.get('web')!.say(progress('one'));
  follower.close();
  expect(server.followed.size).toBe(0);
  server.put('web', 'running', ['ready'], 'running');
  await changed('web');
  expect(server.followed.size).toBe(0);
  expect(told).toEqual([]);
  for (const each of open.reverse()) each.close();
  expect(vi.getTimerCount()).toBe(0);
});
