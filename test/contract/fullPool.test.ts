import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectIncus } from '../../src/incus';
import { guestSetup } from '../../src/provision';
import { outputOf } from '../../src/sandbox/exec';
import type { SandboxHost } from '../../src/sandbox/host';
import { Lifecycle } from '../../src/sandbox/lifecycle';
import { silentLog } from '../../src/sandbox/log';
import { parseLabel, parseName } from '../../src/sandbox/name';
import { makeTestProject, type TestProject } from '../support/testProject';

/** Too small for any image. */
const CRAMPED = 'pixels-cramped';
/** The image fits, and little more. */
const TIGHT = 'pixels-tight';

let project: TestProject;
let host: SandboxHost;
let lifecycle: Lifecycle;

beforeAll(async () => {
  project = await makeTestProject('pixels-full-pool');
  host = connectIncus({ kind: 'unix', socket: project.socket, project: project.project }, { log: silentLog });
  const noKey = (): Promise<string> => Promise.reject(new Error('not needed here'));
  lifecycle = new Lifecycle(host, guestSetup({ user: 'pixel', publicKey: noKey }));
  await removePools();
  for (const [name, size] of [
    [CRAMPED, '160MiB'],
    [TIGHT, '800MiB'],
  ] as const) {
    await project.raw.must('POST', '/1.0/storage-pools', { name, driver: 'btrfs', config: { size } });
  }
});

afterAll(async () => {
  host.close();
  await project.remove();
  await removePools();
});

async function removePools(): Promise<void> {
  for (const pool of [CRAMPED, TIGHT]) {
    const volumes = await project.raw.request('GET', `/1.0/storage-pools/${pool}/volumes/image?recursion=1`);
    if (volumes.status !== 200) continue;
    for (const { name } of volumes.metadata as { name: string }[]) {
      await project.raw.request('DELETE', `/1.0/storage-pools/${pool}/volumes/image/${name}`);
    }
    await project.raw.must('DELETE', `/1.0/storage-pools/${pool}`);
  }
}

function create(name: string, pool: string): Promise<unknown> {
  const source = { image: project.image, placement: { pool } };
  return lifecycle.create({ name: parseName(name), source, limits: {}, provision: false });
}

it('creating on a pool that is too small says so and leaves nothing', async () => {
  await expect(create('full-one', CRAMPED)).rejects.toMatchObject({
    kind: 'no-space',
    message: "The server's storage is full.",
  });
  await expect(host.get(parseName('full-one'))).rejects.toMatchObject({ kind: 'not-found' });
});

it('restoring on a pool that has become full touches nothing, and works once there is room', async () => {
  const name = parseName('full-two');
  await create('full-two', TIGHT);
  const inside = (script: string) => outputOf(host, name, { command: ['sh', '-c', script] });
  await inside('echo before > /file; sync');
  await lifecycle.createCheckpoint(name, parseLabel('ready'));
  // Once is not enough: what else is going on in there gives a little back when it is written out.
  const fill = 'for part in 1 2 3 4; do dd if=/dev/urandom of=/fill$part bs=64k; sync; sleep 0.5; done';
  const filled = await inside(`echo after > /file; sync; ${fill}`);
  expect(filled.stderr).toMatch(/No space left/);

  // Incus could not start it again now, so it must not have been stopped.
  await expect(lifecycle.restore(name, parseLabel('ready'))).rejects.toMatchObject({ kind: 'no-space' });
  expect(await host.get(name)).toMatchObject({ status: 'running', mark: undefined, checkpointCount: 1 });
  expect((await inside('cat /file; cat /proc/uptime >/dev/null')).stdout).toBe('after\n');

  await inside('rm /fill*; sync; until [ "$(df --output=avail -m / | tail -1)" -gt 200 ]; do sleep 0.2; sync; done');
  await lifecycle.restore(name, parseLabel('ready'));
  expect((await inside('cat /file')).stdout).toBe('before\n');
  expect(await host.get(name)).toMatchObject({ status: 'running', mark: undefined });
});
