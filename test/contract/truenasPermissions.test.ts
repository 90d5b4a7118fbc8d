import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Permission } from '../../src/sandbox/check';
import { isAll } from '../support/extent';
import { isKind, PixelsError } from '../../src/sandbox/errors';
import type { SandboxHost } from '../../src/sandbox/host';
import { silentLog } from '../../src/sandbox/log';
import { instanceName, parseLabel, parseName } from '../../src/sandbox/name';
import { connectTrueNasHost } from '../../src/truenas';
import { WEB_SHELL } from '../../src/truenas/common/permissions';
import { FULL_ADMIN } from '../../src/truenas/common/privileges';
import { makeTestProject, type TestProject } from '../support/testProject';
import {
  startTrueNasServer,
  type AddKeyOptions,
  type Credentials,
  type Profile,
  type TrueNasServer,
} from '../truenas-server';
import { failure, FORCE, remove, shell } from './support';

/* What `examine` says of an API key, and whether that is so: each feature is tried with what it is said to need. */

const source = parseName('nas-source');
const made = parseName('nas-made');
const one = parseLabel('one');

/** Who may not see the network of the NAS has no device to add to a sandbox, which is connected by NAT then. */
const WITH: Readonly<Record<string, readonly string[]>> = {
  CONTAINER_DEVICE_WRITE: ['NETWORK_GENERAL_READ', 'NETWORK_INTERFACE_READ', 'CONTAINER_DEVICE_READ'],
};

interface Release {
  readonly profile: Profile;
  readonly image: string | undefined;
  readonly datasets: string;
  readonly snapshots: string;
  /** Which features are tried. */
  readonly tried: RegExp;
}

const VIRT = 'tank/.ix-virt/containers';
const CONTAINERS = 'tank/.truenas_containers/containers';

const RELEASES = [
  // The same calls as on 25.10, except for those about snapshots.
  { profile: '25.04.2', image: undefined, datasets: VIRT, snapshots: 'zfs.snapshot', tried: /See|checkpoints/ },
  { profile: '25.10.5', image: undefined, datasets: VIRT, snapshots: 'pool.snapshot', tried: /./ },
  { profile: '26.0', image: 'debian/bookworm', datasets: CONTAINERS, snapshots: 'pool.snapshot', tried: /./ },
] as const satisfies readonly Release[];

const releases = RELEASES.filter(({ profile }) => isAll || profile !== '25.04.2');

describe.each(releases)('the API key for TrueNAS $profile', ({ profile, image: named, datasets, snapshots, tried }) => {
  let project: TestProject;
  let server: TrueNasServer;
  let root: SandboxHost;
  let image: string;

  beforeAll(async () => {
    project = await makeTestProject(`pixels-keys-${profile.replaceAll('.', '')}`);
    const { socket } = project;
    image = named ?? project.image;
    server = await startTrueNasServer({ socket, project: project.project, incusPool: 'default', profile });
    root = connect(server);
    await root.create({ name: source, image, limits: {}, placement: {}, state: {} });
    await root.start(source);
  });

  afterAll(async () => {
    root.close();
    await server.close();
    await project.remove();
  });

  /** What each feature comes to, done by somebody whose key may do only that. */
  const FEATURES: Readonly<Record<string, (host: SandboxHost) => Promise<unknown>>> = {
    'See sandboxes': async (host) => {
      expect((await host.list()).map(({ name }) => name)).toContain(source);
      const error: unknown = await host.get(made).catch((reason: unknown) => reason);
      if (!isKind(error, 'not-found')) throw error;
    },
    'Create, start, stop and destroy': async (host) => {
      await create(host);
      await snapshot('auto-2026-11-23_00-00');
      await host.start(made);
      await host.stop(made, FORCE);
      await host.destroy(made);
    },
    'Connect them to the network of the NAS': async (host) => {
      const before = server.calls.length;
      await create(host);
      const created = server.calls.slice(before).filter(({ method }) => method.endsWith('.create'));
      if (!JSON.stringify(created).includes('enp3s0')) throw new PixelsError('forbidden', 'connected by NAT');
    },
    'Take and delete checkpoints': async (host) => {
      await create(root);
      await host.createCheckpoint(made, one);
      await host.deleteCheckpoint(made, one);
    },
    'Restore checkpoints': async (host) => {
      await create(root);
      await root.createCheckpoint(made, one);
      await host.updateState(made, () => ({ sshUser: 'pixel' }));
      await host.rollback(made, one);
    },
    'Consoles, commands and SSH': async (host) => {
      expect(await shell(host, source, 'echo works')).toBe('works\n');
    },
    'Set up login and recipes': async (host) => {
      expect(await shell(host, source, 'echo works')).toBe('works\n');
      await host.updateState(source, () => ({ hostKey: `ssh-ed25519 ${server.calls.length}` })); // never the same
    },
    Clone: async (host) => {
      await host.copy({ name: made, source: { name: source }, limits: {}, state: {} });
      if ((await snapshotsOf()).length > 0) throw new PixelsError('forbidden', 'it left something behind');
    },
  };

  it('of root may do all, and so may that of a full administrator', async () => {
    for (const host of [connect(server), connect(server, server.addKey())]) {
      const permissions = await permissionsOf(host);
      expect(permissions.map(({ feature }) => feature)).toEqual(Object.keys(FEATURES));
      expect(permissions.filter(({ granted }) => !granted)).toEqual([]);
      host.close();
    }
  });

  it('without any role may do nothing, and it says so', async () => {
    const host = keyWith({ roles: [], webShell: false });
    const [key, ...others] = await host.examine({ image, pool: undefined, network: undefined });
    expect(key).toMatchObject({ title: 'API key', verdict: 'failed' });
    expect(key?.permissions?.filter(({ granted }) => granted)).toEqual([]);
    for (const other of others) expect(other.verdict).toBe('warning');
    await failure(host.list(), 'forbidden');
    host.close();
  });

  it('that may only read may see sandboxes, and no more', async () => {
    const host = keyWith({ roles: ['READONLY_ADMIN'], webShell: false });
    const granted = (await permissionsOf(host)).filter((each) => each.granted).map(({ feature }) => feature);
    expect(granted).toEqual(['See sandboxes']);
    expect((await host.list()).map(({ name }) => name)).toEqual([source]);
    host.close();
  });

  it.each(Object.keys(FEATURES).filter((feature) => (isAll ? tried : /See|checkpoints/).test(feature)))(
    'with just what it says for "%s" may do that, and without any of it may not',
    async (feature) => {
      const needs = await needsOf(feature);
      await tryWith(needs, feature, true);
      const base = feature === 'See sandboxes' ? [] : await needsOf('See sandboxes');
      const creating = feature.startsWith('Connect') ? await needsOf('Create, start, stop and destroy') : [];
      const own = needs.filter((need) => ![...base, ...creating].includes(need));
      expect(own.length).toBeGreaterThan(0);
      for (const need of own) {
        const others = needs.filter((other) => other !== need);
        if (!others.includes(FULL_ADMIN)) await tryWith([...others, ...(WITH[need] ?? [])], feature, false);
      }
    },
  );

  /** With these and nothing else: `examine` and the server agree. */
  async function tryWith(needs: readonly string[], feature: string, expected: boolean): Promise<void> {
    const host = keyWith({ roles: needs.filter((need) => need !== WEB_SHELL), webShell: needs.includes(WEB_SHELL) });
    try {
      const said = (await permissionsOf(host)).find((each) => each.feature === feature);
      const done = await FEATURES[feature]!(host).then(
        () => true,
        (error: unknown) => {
          if (isKind(error, 'forbidden')) return false;
          throw error;
        },
      );
      expect({ needs, said: said?.granted, done }).toEqual({ needs, said: expected, done: expected });
    } finally {
      host.close();
      await remove(root, made);
    }
  }

  /** What somebody who may do nothing lacks for it. */
  async function needsOf(feature: string): Promise<readonly string[]> {
    const nobody = keyWith({ roles: [], webShell: false });
    const permissions = await permissionsOf(nobody);
    nobody.close();
    return permissions.find((each) => each.feature === feature)!.lacks;
  }

  function keyWith(options: AddKeyOptions): SandboxHost {
    return connect(server, server.addKey(options));
  }

  async function create(host: SandboxHost): Promise<void> {
    await host.create({ name: made, image, limits: {}, placement: {}, state: {} });
  }

  async function snapshot(name: string): Promise<void> {
    await server.call(`${snapshots}.create`, [{ dataset: `${datasets}/${instanceName(made)}`, name }]);
  }

  async function snapshotsOf(): Promise<unknown[]> {
    const filters = [['dataset', '=', `${datasets}/${instanceName(made)}`]];
    return (await server.call(`${snapshots}.query`, [filters])) as unknown[];
  }

  async function permissionsOf(host: SandboxHost): Promise<readonly Permission[]> {
    const checks = await host.examine({ image, pool: undefined, network: undefined });
    return checks.find(({ title }) => title === 'API key')!.permissions!;
  }
});

function connect(server: TrueNasServer, key: Credentials = server): SandboxHost {
  const { host, port, fingerprint } = server;
  const trust = { kind: 'pin', fingerprint256: fingerprint } as const;
  const target = { host, port, username: key.username, apiKey: key.apiKey, trust };
  return connectTrueNasHost(target, { log: silentLog, timing: { loginWindowMs: 50 } });
}
