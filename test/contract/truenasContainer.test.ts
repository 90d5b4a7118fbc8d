import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SandboxHost } from '../../src/sandbox/host';
import { silentLog } from '../../src/sandbox/log';
import { instanceName, parseLabel, parseName, type SandboxName } from '../../src/sandbox/name';
import type { SandboxSpec } from '../../src/sandbox/sandbox';
import { connectTrueNasHost, type TrueNasHostOptions } from '../../src/truenas';
import { makeTestProject, type TestProject } from '../support/testProject';
import { startTrueNasServer, type TrueNasServer } from '../truenas-server';
import { wellBehaved } from '../truenas-server/misbehaviour';
import { describeSandboxHost, type HostUnderTest } from './sandboxHost.contract';
import { eventually, exists, failure, FORCE, inside, remove, shell } from './support';

/** As the registry of the test server names the image that others have as `debian/12`. */
const IMAGE = 'debian/bookworm';

describeSandboxHost('TrueNAS 26.0', async (): Promise<HostUnderTest> => {
  const { server, project } = await startServer('pixels-nas-260');
  return {
    image: IMAGE,
    connect: () => connect(server),
    takeCheckpointOutside: async (sandbox, label) => {
      await server.call('pool.snapshot.create', [{ dataset: datasetOf(sandbox), name: `px-${label}` }]);
    },
    dispose: async () => {
      await server.close();
      await project.remove();
    },
  };
});

/* What holds on TrueNAS 26 beyond what every host must do. */
describe('TrueNAS 26.0 alone', () => {
  const one = parseLabel('one');
  const source = parseName('nas-source');
  const name = parseName('nas-made');
  const other = parseName('nas-other');
  let project: TestProject;
  let server: TrueNasServer;
  let host: SandboxHost;

  beforeAll(async () => {
    ({ project, server } = await startServer('pixels-nas-container'));
    host = connect(server);
    await host.create(spec(source));
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

  describe('what it is', () => {
    it('is experimental, which its title says', async () => {
      expect((await host.info()).title).toMatch(/^TrueNAS 26\.0.* \(experimental\)$/);
    });

    it('has no limit for memory, and checkpoints where the datasets of containers are not protected', async () => {
      expect(Object.keys((await host.info()).lacks)).toEqual(['memoryLimit']);
      server.misbehave.protectedPaths = true;
      const next = connect(server);
      const { lacks } = await next.info();
      expect(Object.keys(lacks)).toEqual(['memoryLimit', 'checkpoints']);
      const error = await failure(next.createCheckpoint(source, one), 'unsupported');
      expect(error.message.replace(source, 'a sandbox')).toBe(lacks.checkpoints);
      next.close();
    });

    it('is asked what it lacks once, in a way that changes nothing', async () => {
      const next = connect(server);
      const before = await snapshots(source);
      await next.info();
      const calls = server.calls.length;
      await next.info();
      expect(server.calls.slice(calls).map(({ method }) => method)).toEqual(['system.info']);
      expect(await snapshots(source)).toEqual(before);
      next.close();
    });

    it('is found out once, not at each call', async () => {
      const again = connect(server);
      await again.list();
      const before = server.calls.length;
      await again.list();
      // What a look for leftovers asks in the background is the same.
      const methods = new Set(server.calls.slice(before).map(({ method }) => method));
      expect([...methods].sort()).toEqual(['container.query', 'zfs.resource.snapshot.query']);
      again.close();
    });
  });

  describe('create', () => {
    it('cannot limit the memory, and says so before it makes anything', async () => {
      const error = await failure(host.create({ ...spec(name), limits: { memoryMiB: 512 } }), 'unsupported');
      expect(error.message).toContain('memory');
      await failure(
        host.copy({ name, source: { name: source }, limits: { memoryMiB: 512 }, state: {} }),
        'unsupported',
      );
      expect(await exists(host, name)).toBe(false);
    });

    it('gives a container that is nobody on the NAS, is not started with it, and has a network interface', async () => {
      await host.create({ ...spec(name), limits: { cpu: 2 } });
      expect(await container(name)).toMatchObject({
        autostart: false,
        cpuset: '0-1',
        idmap: { type: 'ISOLATED' },
        devices: [{ attributes: { dtype: 'NIC', type: 'VIRTIO', nic_attach: 'enp3s0' } }],
      });
    });

    it('leaves the server its own bridge where that is wanted', async () => {
      const nat = connect(server, { nic: 'nat' });
      await nat.create(spec(name));
      expect(await container(name)).toMatchObject({ devices: [] });
      nat.close();
    });

    it('understands the name that others give an image, and tells of what a sandbox was made', async () => {
      await host.create({ ...spec(name), image: 'images:debian/12' });
      expect((await host.get(name)).image).toMatch(/^Debian bookworm \S+ \(\d+\)$/);
    });

    it('has its network interface added by the first start when its maker died before', async () => {
      server.misbehave.hangMethods = ['container.device.create'];
      const dying = connect(server);
      const calls = server.calls.length;
      const creating = dying.create({ ...spec(name), state: { mark: '{"action":"create"}' } });
      creating.catch(() => undefined);
      const called = () => server.calls.slice(calls).find(({ method }) => method === 'container.device.create');
      await eventually(20_000, called);
      dying.close();
      await creating.catch(() => undefined);
      server.misbehave.hangMethods = [];
      expect(await container(name)).toMatchObject({ devices: [] });
      await host.start(name);
      const connected = { devices: [{ attributes: { dtype: 'NIC', nic_attach: 'enp3s0' } }] };
      expect(await container(name)).toMatchObject(connected);
      await host.stop(name, FORCE);
      await host.start(name);
      expect(await container(name)).toMatchObject(connected);
      await host.updateState(name, () => ({ mark: null }));
      expect(JSON.stringify(await container(name))).not.toContain('\\"devices\\"');
      await host.stop(name, FORCE);
    });

    it('leaves nothing behind when the network interface cannot be added', async () => {
      const nic = { nicType: 'BRIDGED', parent: 'no-such-bridge' } as const;
      const wrong = connect(server, { nic });
      await failure(wrong.create(spec(name)), 'invalid');
      expect(await exists(host, name)).toBe(false);
      wrong.close();
    });
  });

  describe('addresses', () => {
    it('are asked for inside, by one who wants to know; a list shows what is known', async () => {
      await host.create(spec(name));
      await host.start(name);
      const list = async () => (await host.list()).find((sandbox) => sandbox.name === name)?.addresses;
      expect(await list()).toEqual([]);
      const addresses = await eventually(15_000, async () => {
        const found = (await host.get(name)).addresses;
        return found.length > 0 ? found : undefined;
      });
      expect(await list()).toEqual(addresses);
      const before = server.calls.length;
      await host.get(name);
      expect(server.calls.slice(before).map(({ method }) => method)).not.toContain('auth.generate_token');
      await host.stop(name, FORCE);
      expect(await list()).toEqual([]);
    });
  });

  describe('a copy', () => {
    it('leaves no cron job and no snapshot behind, and is mounted where containers are', async () => {
      await host.copy({ name, source: { name: source }, limits: {}, state: {} });
      expect(await server.call('cronjob.query')).toEqual([]);
      expect(await snapshots(source)).toEqual([]);
      expect(await snapshots(name)).toEqual([]);
      expect(await inside(host, name, 'hostname')).toBe(`${instanceName(name)}\n`);
    });

    it('is made all the same where the datasets of containers are protected, and can be destroyed there', async () => {
      server.misbehave.protectedPaths = true;
      await host.copy({ name, source: { name: source }, limits: {}, state: {} });
      expect(await server.call('cronjob.query')).toEqual([]);
      expect(await snapshots(name)).toEqual([]);
      await host.start(name);
      expect(await shell(host, name, 'echo works')).toBe('works\n');
      await host.stop(name, FORCE);
      await host.destroy(name);
      expect(await exists(host, name)).toBe(false);
    });
  });

  describe('where the datasets of containers are protected', () => {
    it('there are no checkpoints, and it says why', async () => {
      await host.create(spec(name));
      await host.createCheckpoint(name, one);
      server.misbehave.protectedPaths = true;
      for (const action of [
        () => host.createCheckpoint(name, parseLabel('two')),
        () => host.deleteCheckpoint(name, one),
        () => host.rollback(name, one),
        () => host.lostByRollback(name, one),
      ]) {
        expect((await failure(action(), 'unsupported')).message).toContain('protects the datasets');
      }
      expect((await host.checkpoints(name)).map(({ label }) => label)).toEqual([one]);
    });

    it('a sandbox with an older checkpoint can be destroyed', async () => {
      await host.create(spec(name));
      await host.createCheckpoint(name, one);
      server.misbehave.protectedPaths = true;
      await host.destroy(name);
      expect(await exists(host, name)).toBe(false);
    });
  });

  describe('destroy', () => {
    it('destroys nothing that is a clone of a checkpoint', async () => {
      const linking = connect(server, { linkedClones: true });
      await host.create(spec(name));
      await host.createCheckpoint(name, one);
      await linking.copy({ name: other, source: { name, label: one }, limits: {}, state: {} });
      linking.close();
      const error = await failure(host.destroy(name), 'wrong-state');
      expect(error.message).toContain(`: ${other} depends on`);
      expect(await host.linkedClones(name)).toMatchObject([{ name: other, label: one }]);
      expect(await snapshots(name)).toEqual(['px-one']);
      await host.destroy(other);
      await host.destroy(name);
      expect(await exists(host, name)).toBe(false);
    });

    it('asks for no more than it needs', async () => {
      await host.create(spec(name));
      await host.destroy(name);
      const deletions = server.calls.filter(({ method }) => method === 'container.delete');
      expect(deletions.at(-1)?.params).toMatchObject([expect.any(Number), { force: false, recursive: false }]);
    });
  });

  function spec(made: SandboxName): SandboxSpec {
    return { name: made, image: IMAGE, limits: {}, placement: {}, state: {} };
  }

  async function container(made: SandboxName): Promise<unknown> {
    const [found] = (await server.call('container.query', [[['name', '=', instanceName(made)]]])) as unknown[];
    return found;
  }

  async function snapshots(made: SandboxName): Promise<string[]> {
    const filters = [['dataset', '=', datasetOf(made)]];
    const found = (await server.call('pool.snapshot.query', [filters])) as { snapshot_name: string }[];
    return found.map(({ snapshot_name: snapshot }) => snapshot);
  }
});

async function startServer(projectName: string): Promise<{ project: TestProject; server: TrueNasServer }> {
  const project = await makeTestProject(projectName);
  const { socket } = project;
  const options = { socket, project: project.project, incusPool: 'default', profile: '26.0' } as const;
  return { project, server: await startTrueNasServer(options) };
}

function connect(server: TrueNasServer, options: Partial<TrueNasHostOptions> = {}): SandboxHost {
  const { host, port, username, apiKey, fingerprint } = server;
  const target = { host, port, username, apiKey, trust: { kind: 'pin', fingerprint256: fingerprint } } as const;
  return connectTrueNasHost(target, { log: silentLog, ...options });
}

function datasetOf(sandbox: string): string {
  return `tank/.truenas_containers/containers/px-${sandbox}`;
}
