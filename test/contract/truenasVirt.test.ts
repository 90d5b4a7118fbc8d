import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { HostEvent, SandboxHost } from '../../src/sandbox/host';
import { silentLog } from '../../src/sandbox/log';
import { instanceName, parseLabel, parseName, type SandboxName } from '../../src/sandbox/name';
import type { SandboxSpec } from '../../src/sandbox/sandbox';
import { connectTrueNasHost, type TrueNasHostOptions } from '../../src/truenas';
import { makeTestProject, type TestProject } from '../support/testProject';
import { startTrueNasServer, type Credentials, type TrueNasServer } from '../truenas-server';
import { wellBehaved } from '../truenas-server/misbehaviour';
import { eventually, exists, failure, FORCE, inside, remove, shell } from './support';

/* What holds on TrueNAS 25.10 beyond what every host must do. */

const one = parseLabel('one');
const two = parseLabel('two');
const source = parseName('nas-source');
const name = parseName('nas-made');
const other = parseName('nas-other');
let project: TestProject;
let server: TrueNasServer;
let host: SandboxHost;

beforeAll(async () => {
  project = await makeTestProject('pixels-nas-virt');
  const { socket } = project;
  server = await startTrueNasServer({ socket, project: project.project, incusPool: 'default', profile: '25.10.5' });
  host = connect();
  await host.create(spec(source));
  await inside(host, source, 'printf then >/root/file');
  await host.createCheckpoint(source, one);
  await inside(host, source, 'printf now >/root/file');
});

afterEach(async () => {
  Object.assign(server.misbehave, wellBehaved());
  for (const made of [name, other]) await remove(host, made);
});

afterAll(async () => {
  host.close();
  await server.close();
  await project.remove();
});

describe('a rollback on TrueNAS', () => {
  it('tells before which newer snapshots are lost, those of others too', async () => {
    await host.create(spec(name));
    await host.createCheckpoint(name, one);
    await snapshot(name, 'auto-2026-11-23_00-00');
    await host.createCheckpoint(name, two);
    const lost = await host.lostByRollback(name, one);
    expect(lost).toMatchObject([
      { snapshot: 'auto-2026-11-23_00-00', label: undefined },
      { snapshot: 'px-two', label: two },
    ]);
    expect(Date.now() - lost[0]!.createdAt.getTime()).toBeLessThan(60_000);
    expect(await host.lostByRollback(name, two)).toEqual([]);
    await failure(host.lostByRollback(name, parseLabel('none')), 'not-found');
    await host.rollback(name, one);
    expect(await snapshots(name)).toEqual(['px-one']);
  });

  it('is refused, and nothing is lost, when a linked clone depends on something newer', async () => {
    const linking = connect({ linkedClones: true });
    try {
      await host.create(spec(name));
      await host.createCheckpoint(name, one);
      await host.createCheckpoint(name, two);
      await linking.copy({ name: other, source: { name, label: two }, limits: {}, state: {} });
      const error = await failure(host.rollback(name, one), 'wrong-state');
      expect(error.message).toContain(`: ${other} depends on`);
      expect((await failure(host.lostByRollback(name, one), 'wrong-state')).message).toContain(`: ${other} depends on`);
      expect(await snapshots(name)).toEqual(['px-one', 'px-two']);
      const cannot = await failure(host.deleteCheckpoint(name, two), 'wrong-state');
      expect(cannot.message).toContain(`: ${other} depends on`);
      expect(await host.linkedClones(name)).toMatchObject([{ name: other, label: two }]);
      expect(await exists(host, other)).toBe(true);
    } finally {
      linking.close();
    }
  });
});

describe('a copy on TrueNAS', () => {
  it('leaves no cron job, no snapshot and nothing of the machine-id behind, and the source as it was', async () => {
    const before = await snapshots(source);
    await host.copy({ name, source: { name: source }, limits: {}, state: {} });
    expect(await server.call('cronjob.query')).toEqual([]);
    expect(await snapshots(source)).toEqual(before);
    expect(await snapshots(name)).toEqual([]);
    expect(readFileSync(path.join(rootfs(name), 'etc/machine-id'), 'utf8')).toBe('');
    expect(readFileSync(path.join(rootfs(name), 'root/file'), 'utf8')).toBe('now');
  });

  it('follows no link that untrusted code has put in place of the machine-id', async () => {
    const victim = path.join(server.hostRoot, 'victim');
    mkdirSync(victim, { recursive: true });
    writeFileSync(path.join(victim, 'machine-id'), 'of the NAS');
    await host.create(spec(other));
    await inside(host, other, `rm /etc/machine-id; ln -s ${path.join(victim, 'machine-id')} /etc/machine-id`);
    await host.copy({ name, source: { name: other }, limits: {}, state: {} });
    expect(readFileSync(path.join(victim, 'machine-id'), 'utf8')).toBe('of the NAS');
  });

  it('removes what it made when copying fails, and says why', async () => {
    server.misbehave.failStep = { method: 'cronjob.run', at: 'before', message: 'out of space' };
    await failure(host.copy({ name, source: { name: source }, limits: {}, state: {} }), 'no-space');
    expect(await exists(host, name)).toBe(false);
    expect(await server.call('cronjob.query')).toEqual([]);
    expect(await snapshots(source)).toEqual(['px-one']);
  });

  it('is completed by the next start, or by resetIdentity, when its maker died before the files were there', async () => {
    for (const label of [undefined, one]) {
      for (const finish of ['start', 'reset'] as const) {
        await diesWhileCopying('before', label);
        await failure(host.createCheckpoint(name, two), 'wrong-state');
        await failure(host.copy({ name: other, source: { name }, limits: {}, state: {} }), 'wrong-state');
        if (finish === 'reset') await host.resetIdentity(name);
        await host.start(name);
        expect(await shell(host, name, 'cat /root/file')).toBe(label === undefined ? 'now' : 'then');
        expect(await server.call('cronjob.query')).toEqual([]);
        expect(await snapshots(name)).toEqual([]);
        await remove(host, name);
      }
    }
    expect(await snapshots(source)).toEqual(['px-one']);
  });

  it('cannot be completed when its source has gone meanwhile, and says so', async () => {
    await host.create(spec(other));
    await diesWhileCopying('before', undefined, other);
    await host.destroy(other);
    const error = await failure(host.start(name), 'not-found');
    expect(error.message).toContain(other);
    expect(error.message).not.toContain('CronTask');
    expect(await server.call('cronjob.query')).toEqual([]);
    await host.destroy(name);
  });

  it('is not copied again when its maker died after that', async () => {
    await diesWhileCopying('after', one);
    const runs = () => server.calls.filter(({ method }) => method === 'cronjob.run').length;
    const before = runs();
    await host.start(name);
    expect(runs()).toBe(before);
    expect(await shell(host, name, 'cat /root/file')).toBe('then');
    expect(await snapshots(name)).toEqual([]);
  });

  it('may be destroyed when its maker died, with what he has left, but not while the NAS is at it', async () => {
    await diesWhileCopying('before', one);
    const description = `Pixels: copy px-${source} to px-${name} (temporary, ${new Date().toISOString()})`;
    const task = { command: 'sleep 2', user: 'root', enabled: false, description };
    const { id } = (await server.call('cronjob.create', [task])) as { id: number };
    const running = server.call('cronjob.run', [id, false]);
    for (const action of [() => host.destroy(name), () => host.start(name)]) {
      const error = await failure(action(), 'busy');
      expect(error.message).toContain(name);
    }
    await running;
    await host.destroy(name);
    expect(await server.call('cronjob.query')).toEqual([]);
  });

  it('passes limits, variables and devices on, but not what makes the source itself', async () => {
    await host.create({ ...spec(other), limits: { cpu: 1, memoryMiB: 300 }, state: { sshUser: 'pixel' } });
    const { environment } = (await server.call('virt.instance.get_instance', [instanceName(other)])) as Instance;
    const more = { environment: { ...environment, LANG: 'C.UTF-8' }, cpu: '0-1' };
    await server.call('virt.instance.update', [instanceName(other), more]);
    await host.copy({ name, source: { name: other }, limits: { memoryMiB: 400 }, state: { hostKey: 'own' } });
    expect(await host.get(name)).toMatchObject({ cpu: 2, memoryMiB: 400, state: { hostKey: 'own' }, mark: undefined });
    const copy = (await server.call('virt.instance.get_instance', [instanceName(name)])) as Instance;
    expect(copy).toMatchObject({ cpu: '0-1', environment: { LANG: 'C.UTF-8' } });
  });

  it('as a linked clone keeps the snapshot that it depends on, until it is gone itself', async () => {
    const linking = connect({ linkedClones: true });
    await linking.copy({ name, source: { name: source }, limits: {}, state: {} });
    linking.close();
    expect(readFileSync(path.join(rootfs(name), 'root/file'), 'utf8')).toBe('now');
    expect(await snapshots(source)).toEqual([expect.stringMatching(/^pixels-copy-/) as string, 'px-one']);
    expect((await host.get(source)).checkpointCount).toBe(1);
    expect(await host.linkedClones(source)).toMatchObject([{ name, label: undefined }]);
    await host.destroy(name);
    expect(await host.linkedClones(source)).toEqual([]);
    const next = connect();
    await next.list();
    await expect.poll(() => snapshots(source)).toEqual(['px-one']);
    next.close();
  });
});

describe('what dead processes have left', () => {
  const task = { command: 'true', user: 'root', enabled: false };

  it('is removed by the next connection, when it is old enough and not running', async () => {
    const describe = (minutes: number) =>
      `Pixels: copy px-a to px-b (temporary, ${new Date(Date.now() - minutes * 60_000).toISOString()})`;
    await server.call('cronjob.create', [{ ...task, description: describe(60 * 3) }]);
    const young = await server.call('cronjob.create', [{ ...task, description: describe(1) }]);
    const theirs = await server.call('cronjob.create', [{ ...task, description: 'Backup (temporary)' }]);
    const next = connect();
    await next.list();
    await expect.poll(() => server.call('cronjob.query')).toEqual([young, theirs]);
    next.close();
    for (const { id } of [young, theirs] as { id: number }[]) await server.call('cronjob.delete', [id]);
  });

  it('is looked for once', async () => {
    const next = connect();
    const before = server.calls.length;
    await next.list();
    await next.list();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const methods = server.calls.slice(before).map(({ method }) => method);
    expect(methods.filter((method) => method === 'cronjob.query')).toHaveLength(1);
    next.close();
  });
});

describe('the list on TrueNAS', () => {
  it('takes two requests, whatever there is', async () => {
    await host.list();
    const before = server.calls.length;
    expect((await host.list()).find((sandbox) => sandbox.name === source)?.checkpointCount).toBe(1);
    expect(server.calls.slice(before).map(({ method }) => method)).toEqual([
      'virt.instance.query',
      'pool.snapshot.query',
    ]);
  });

  it.each([
    ['NO_POOL', 'config', 'pool'],
    ['INITIALIZING', 'busy', 'getting'],
    ['LOCKED', 'wrong-state', 'locked'],
    ['ERROR', 'failed', 'could not'],
  ] as const)('is no empty one while the containers of the NAS are %s', async (state, kind, words) => {
    server.misbehave.virtState = state;
    for (const action of [() => host.list(), () => host.get(source), () => host.create(spec(name))]) {
      const error = await failure(action(), kind);
      expect(error.message).toContain(words);
      expect(error.hint).toBeTruthy();
    }
    const checks = await host.examine({ image: project.image, pool: undefined, network: undefined });
    expect(checks.find(({ title }) => title === 'Storage')).toMatchObject({
      verdict: 'failed',
      sentence: expect.stringContaining(words) as unknown,
      advice: expect.stringMatching(/\.$/) as unknown,
    });
  });

  it('shows sandboxes to a key that may only read', async () => {
    const reading = connect({}, server.addKey({ roles: ['READONLY_ADMIN'] }));
    expect((await reading.list()).map((sandbox) => sandbox.name)).toContain(source);
    await failure(reading.createCheckpoint(source, two), 'forbidden');
    reading.close();
  });

  it('has nothing for a server that has no virt', async () => {
    server.misbehave.version = 'TrueNAS-25.04.1';
    const next = connect();
    const error = await failure(next.list(), 'unsupported');
    expect(error.message).toContain('25.04.1');
    next.close();
  });
});

describe('the NIC of a new sandbox', () => {
  it.each([
    ['dhcp', { nictype: 'macvlan' }],
    ['static', { nictype: 'macvlan' }],
    ['bridge', { nictype: 'bridged' }],
    ['no-route', undefined],
  ] as const)('is on the network of a NAS that is connected by "%s"', async (network, nic) => {
    server.misbehave.network = network;
    await host.create(spec(name));
    const created = server.calls.findLast(({ method }) => method === 'virt.instance.create')?.params as [
      { devices: { nic_type: string }[] },
    ];
    expect(created[0].devices.map((device) => device.nic_type.toLowerCase())).toEqual(
      nic === undefined ? [] : [nic.nictype],
    );
  });
});

describe('the state of a sandbox', () => {
  it('is not lost between processes that write at once', async () => {
    await host.create(spec(name));
    const others = [connect(), connect(), connect()];
    const write = (writer: SandboxHost, word: string) =>
      writer.updateState(name, ({ hostKey = '' }) => ({ hostKey: `${hostKey} ${word}`.trim() }));
    await Promise.all(others.map((writer, index) => write(writer, `w${index}`)));
    expect((await host.get(name)).state.hostKey?.split(' ').sort()).toEqual(['w0', 'w1', 'w2']);
    for (const writer of others) writer.close();
  });

  it('is where a rollback does not reach it, beside what others keep there', async () => {
    await host.create(spec(name));
    await host.createCheckpoint(name, one);
    await host.updateState(name, () => ({ sshUser: 'pixel' }));
    await host.rollback(name, one);
    expect((await host.get(name)).state).toEqual({ sshUser: 'pixel' });
  });
});

describe('watching TrueNAS', () => {
  it('reports the address that a sandbox gets some time after somebody else has started it', async () => {
    await host.create(spec(name));
    const events: HostEvent[] = [];
    const watch = host.watch((event) => events.push(event));
    await eventually(3_000, () => events[0]);
    await server.call('virt.instance.start', [instanceName(name)]);
    await eventually(20_000, async () => {
      const count = events.length;
      const { addresses } = await host.get(name);
      return addresses.length > 0 && count > 0 ? true : undefined;
    });
    events.length = 0;
    await eventually(3_000, () => events.find((event) => event.kind === 'changed'));
    watch.close();
    await host.stop(name, FORCE);
  });

  it('comes back after the connection was lost', async () => {
    const events: HostEvent[] = [];
    const watch = host.watch((event) => events.push(event));
    await eventually(3_000, () => events[0]);
    server.dropConnections();
    await eventually(30_000, () => (events.at(-1)?.kind === 'connected' && events.length > 1 ? true : undefined));
    const kinds = events.map(({ kind }) => kind);
    const turns = kinds.filter((kind, at) => kind !== kinds[at - 1]); // it may try more than once
    expect(turns).toEqual(['connected', 'disconnected', 'connected']);
    await host.createCheckpoint(source, two);
    await snapshot(source, 'px-three');
    await eventually(3_000, () => events.filter(({ kind }) => kind === 'checkpoints-changed')[1]);
    watch.close();
    await host.deleteCheckpoint(source, two);
    await host.deleteCheckpoint(source, parseLabel('three'));
  });
});

interface Instance {
  readonly environment: Readonly<Record<string, string>>;
}

function connect(options: Partial<TrueNasHostOptions> = {}, key: Credentials = server): SandboxHost {
  const { host: address, port, fingerprint } = server;
  const trust = { kind: 'pin', fingerprint256: fingerprint } as const;
  const target = { host: address, port, username: key.username, apiKey: key.apiKey, trust };
  return connectTrueNasHost(target, { log: silentLog, timing: { loginWindowMs: 100 }, ...options });
}

function spec(of: SandboxName): SandboxSpec {
  return { name: of, image: project.image, limits: {}, placement: {}, state: {} };
}

/** Makes a copy in a process that is gone as soon as the NAS was, or was about to be, asked to copy the files. */
async function diesWhileCopying(
  at: 'before' | 'after',
  label: typeof one | undefined,
  of: SandboxName = source,
): Promise<void> {
  const method = at === 'before' ? 'cronjob.create' : 'cronjob.run';
  server.misbehave.hangMethods = [method];
  if (at === 'after') server.misbehave.hangMethods = ['cronjob.delete'];
  const dying = connect();
  const last = server.misbehave.hangMethods[0];
  const calls = server.calls.length;
  const copying = dying.copy({ name, source: { name: of, label }, limits: {}, state: {} });
  copying.catch(() => undefined);
  await eventually(20_000, () => server.calls.slice(calls).find((call) => call.method === last));
  await new Promise((resolve) => setTimeout(resolve, 100)); // it has been received, and is about to hang
  dying.close();
  await copying.catch(() => undefined);
  server.misbehave.hangMethods = [];
  if (at === 'before') return;
  for (const { id } of (await server.call('cronjob.query')) as { id: number }[])
    await server.call('cronjob.delete', [id]);
}

/** Names of the snapshots of a sandbox, sorted. */
async function snapshots(of: SandboxName): Promise<string[]> {
  const filters = [['dataset', '=', dataset(of)]];
  const rows = (await server.call('pool.snapshot.query', [filters, { select: ['name'] }])) as { name: string }[];
  return rows.map((row) => row.name.slice(row.name.indexOf('@') + 1)).sort();
}

async function snapshot(of: SandboxName, snapshotName: string): Promise<void> {
  await server.call('pool.snapshot.create', [{ dataset: dataset(of), name: snapshotName }]);
}

function dataset(of: SandboxName): string {
  return `tank/.ix-virt/containers/${instanceName(of)}`;
}

/** Where the files of a stopped sandbox really are. */
function rootfs(of: SandboxName): string {
  const pool = path.join(path.dirname(project.socket), 'storage-pools/default/containers');
  return path.join(pool, `${project.project}_${instanceName(of)}`, 'rootfs');
}
