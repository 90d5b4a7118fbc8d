import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectIncus } from '../../src/incus';
import type { SandboxHost } from '../../src/sandbox/host';
import { silentLog } from '../../src/sandbox/log';
import { unreadableMark } from '../../src/sandbox/mark';
import { parseLabel, parseName } from '../../src/sandbox/name';
import { makeTestProject, type TestProject } from '../support/testProject';
import { inside, remove } from './support';

/*
 * Incus reverts an instance's settings together with its files. What must hold on the real daemon, also when the client is
 * killed between the restore and the repair, and when it was not Pixels that restored.
 */

const name = parseName('ct-rolled');
const path = '/1.0/instances/px-ct-rolled';
const volumes = '/1.0/storage-pools/default/volumes/container/px-ct-rolled';
const label = parseLabel('then');
const mark = { action: 'restore', label, id: 'i', host: 'elsewhere', pid: 7, since: 8 } as const;
const now = { hostKey: 'new', sshUser: 'pixel', mark: JSON.stringify(mark) };

let project: TestProject;
let host: SandboxHost;

beforeAll(async () => {
  project = await makeTestProject('pixels-contract');
  host = connectIncus({ kind: 'unix', socket: project.socket, project: project.project }, { log: silentLog });
});

afterAll(async () => {
  host.close();
  await project.remove();
});

/** A checkpoint of old files, limits, devices and state; then everything changes. */
beforeEach(async () => {
  const state = { hostKey: 'old', mark: 'a mark as old as the checkpoint' };
  await host.create({ name, image: project.image, limits: { cpu: 1 }, placement: {}, state });
  await inside(host, name, 'printf old >/root/file');
  await host.createCheckpoint(name, label);
  await inside(host, name, 'printf new >/root/file');
  await host.updateState(name, () => now);
  const share = { type: 'disk', source: '/usr/share/doc', path: '/mnt', readonly: 'true' };
  const changes = { config: { 'limits.cpu': '2', 'limits.memory': '300MiB' }, devices: { share }, description: 'mine' };
  await project.raw.must('PATCH', path, changes);
});

afterEach(async () => {
  await remove(host, name);
});

describe('rollback on Incus', () => {
  it('keeps limits, devices, description and state as they are now', async () => {
    await host.rollback(name, label);
    await expectRepaired();
    expect(await inside(host, name, 'cat /root/file')).toBe('old');
  });

  it('keeps them through a second rollback, and through one to a checkpoint taken after the first', async () => {
    await host.rollback(name, label);
    const second = parseLabel('second');
    await host.createCheckpoint(name, second);
    await host.rollback(name, label);
    await host.rollback(name, second);
    await expectRepaired();
  });

  it('leaves what people wrote in the volumes’ descriptions', async () => {
    const { config } = (await project.raw.must('GET', volumes)) as { config: object };
    await project.raw.must('PUT', `${volumes}/snapshots/then`, { description: 'about the checkpoint' });
    await project.raw.must('PUT', volumes, { config, description: 'about the sandbox' });
    await host.rollback(name, label);
    const own = (await project.raw.must('GET', volumes)) as { description: string };
    const snapshot = (await project.raw.must('GET', `${volumes}/snapshots/then`)) as { description: string };
    expect(snapshot.description).toBe('about the checkpoint');
    expect(own.description).not.toContain('rollback');
  });
});

describe('a rollback whose process was killed right after the restore', () => {
  beforeEach(async () => {
    await killedRollback();
  });

  it('is reported, by get and by list, with the mark and the state from before', async () => {
    expect(await host.get(name)).toMatchObject({ mark, state: now });
    expect((await host.list()).find((sandbox) => sandbox.name === name)).toMatchObject({ mark, state: now });
  });

  it('is repaired by rolling back again', async () => {
    await host.rollback(name, label);
    await expectRepaired();
  });

  it('is repaired by the next change of the state', async () => {
    await host.updateState(name, (state) => {
      expect(state).toEqual(now);
      return { sshUser: 'other' };
    });
    await expectRepaired({ sshUser: 'other' });
  });

  it('is repaired once when two do it at the same time', async () => {
    await Promise.all([
      host.updateState(name, () => ({ sshUser: 'other' })),
      host.updateState(name, () => ({ hostKey: 'newer' })),
    ]);
    await expectRepaired({ sshUser: 'other', hostKey: 'newer' });
  });

  it('leaves nothing that a later restore by somebody else could be taken for', async () => {
    await host.rollback(name, label);
    await host.updateState(name, () => ({ mark: null }));
    await project.raw.must('PUT', path, { restore: label });
    expect((await host.get(name)).mark).toEqual(unreadableMark());
  });
});

describe('a rollback whose process was killed right before the restore', () => {
  it('has changed nothing, and the next one ends well', async () => {
    await killedRollback({ before: true });
    expect(await host.get(name)).toMatchObject({ mark, state: now, cpu: 2 });
    const other = parseLabel('other');
    await host.createCheckpoint(name, other);
    await host.rollback(name, other);
    await expectRepaired();
    await project.raw.must('PUT', path, { restore: label });
    expect((await host.get(name)).mark).toEqual(unreadableMark());
  });
});

describe('a restore by somebody else', () => {
  beforeEach(async () => {
    await project.raw.must('PUT', path, { restore: label });
  });

  it('is reported as an interrupted restore, without the mark that the checkpoint happened to hold', async () => {
    const expected = { mark: unreadableMark(), state: { hostKey: 'old' } };
    expect(await host.get(name)).toMatchObject(expected);
    expect((await host.list()).find((sandbox) => sandbox.name === name)).toMatchObject(expected);
    expect((await host.get(name)).state.mark).toBeUndefined();
  });

  it('is settled by the next change of the state', async () => {
    await host.updateState(name, () => ({ mark: null, hostKey: 'read again' }));
    const sandbox = await host.get(name);
    expect(sandbox.mark).toBeUndefined();
    expect(sandbox.state).toEqual({ hostKey: 'read again' });
  });

  it('is noticed again when it happens again', async () => {
    await host.updateState(name, () => ({ mark: null }));
    await project.raw.must('PUT', path, { restore: label });
    expect((await host.get(name)).mark).toEqual(unreadableMark());
  });
});

it('a fresh sandbox, and a copy of a restored one, carry no mark', async () => {
  await host.rollback(name, label);
  const copied = parseName('ct-copied');
  try {
    await host.copy({ name: copied, source: { name }, limits: {}, state: {} });
    expect(await host.get(copied)).toMatchObject({ mark: undefined, state: {} });
    const source = { type: 'copy', source: 'px-ct-rolled', instance_only: true };
    await remove(host, copied);
    await project.raw.must('POST', '/1.0/instances', { name: 'px-ct-copied', type: 'container', source });
    expect((await host.get(copied)).mark).toEqual(mark); // as `incus copy` leaves it: with everything of its source
  } finally {
    await remove(host, copied);
  }
});

/** Everything but the files is as the last test step left it. */
async function expectRepaired(changed: object = {}): Promise<void> {
  expect(await host.get(name)).toMatchObject({ cpu: 2, memoryMiB: 300, mark });
  expect((await host.get(name)).state).toEqual({ ...now, ...changed });
  const instance = (await project.raw.must('GET', path)) as { devices: object; description: string };
  expect(instance.description).toBe('mine');
  expect(Object.keys(instance.devices)).toEqual(['share']);
}

/** What a rollback does until its process is killed, as the daemon sees it. */
async function killedRollback({ before = false } = {}): Promise<void> {
  const dying = connectIncus(
    { kind: 'unix', socket: project.socket, project: project.project },
    { log: { ...silentLog, trace: (message) => killAt(message) } },
  );
  const killAt = (message: string): void => {
    // The journal has been written; the restore has (or has not) been made.
    const last = before ? /PUT .*\/snapshots\/then/ : /GET .*\/wait/;
    if (last.test(message)) dying.close();
  };
  await dying.rollback(name, label).catch(() => undefined);
  dying.close();
}
