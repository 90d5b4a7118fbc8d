import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { silentLog } from '../../../../src/sandbox/log';
import { parseLabel, parseName } from '../../../../src/sandbox/name';
import { copyCommand, forgetCopiedCommand } from '../../../../src/truenas/common/copyCommand';
import { isProtected } from '../../../../src/truenas/common/protectedPath';
import { explained } from '../../../../src/truenas/common/refusals';
import { MetaWriter } from '../../../../src/truenas/common/update';
import { instancesOf } from '../../../../src/truenas/container/containers';
import { deleteContainer } from '../../../../src/truenas/container/create';
import { cpusetOf } from '../../../../src/truenas/container/limits';
import { list } from '../../../../src/truenas/container/list';
import { Addresses } from '../../../../src/truenas/container/addresses';
import { lookout } from '../../../../src/truenas/container/lookout';
import { inherited, nicDevices } from '../../../../src/truenas/container/nic';
import { destroy } from '../../../../src/truenas/container/power';
import { sandboxOf } from '../../../../src/truenas/container/sandboxes';
import { containerSchema, type Container } from '../../../../src/truenas/container/wire';
import type { Seen } from '../../../../src/truenas/common/watch';
import { refused, TrueNasRefusal } from '../../../../src/truenas/errors';
import { META_KEY, readMeta, withMeta } from '../../../../src/truenas/meta';
import { fakeApi } from '../virt/fakeApi';
import { container, runningAs } from './fakeContainers';

const web = parseName('web');
const DATASET = 'tank/.truenas_containers/containers/px-web';
const silent = new Addresses({ exec: () => Promise.reject(new Error('nobody asks')) }, silentLog);
const parsed = (id: number, name: string, more: object = {}): Container =>
  z.parse(containerSchema, container(id, name, more));

describe('limits on TrueNAS 26', () => {
  it('are sets of CPUs', () => {
    expect([undefined, 1, 2, 8].map((cpu) => cpusetOf({ cpu }))).toEqual([null, '0', '0-1', '0-7']);
  });

  it('of memory are refused', () => {
    expect(() => cpusetOf({ memoryMiB: 64 })).toThrow(expect.objectContaining({ kind: 'unsupported' }));
  });
});

describe('a container as a sandbox', () => {
  const told = (more: object) => sandboxOf(web, parsed(1, 'px-web', more), { addresses: [], checkpointCount: 0 });

  it.each([
    ['RUNNING', 'running'],
    ['STOPPED', 'stopped'],
    ['SUSPENDED', 'frozen'],
    ['CRASHED', 'error'],
  ])('that is %s is %s', (state, status) => expect(told({ status: { state } }).status).toBe(status));

  it('has as many CPUs as are in its set', () => {
    expect(told({ cpuset: '3' }).cpu).toBe(1);
    expect(told({ cpuset: '0-1,4' }).cpu).toBe(3);
    expect(told({}).cpu).toBeUndefined();
  });

  it('says what Pixels has written about it, and nothing where it has not', () => {
    const image = 'debian:bookworm:amd64:default:20261123';
    const meta = { state: { sshUser: 'pixel' }, createdAt: new Date(5), image, writes: [], unknown: {} };
    expect(told({ initenv: withMeta({}, meta) })).toMatchObject({
      state: { sshUser: 'pixel' },
      createdAt: new Date(5),
      image: 'Debian bookworm amd64 (20261123)',
    });
    expect(told({})).toMatchObject({ state: {}, createdAt: new Date(0), image: undefined, memoryMiB: undefined });
  });
});

describe('the list on TrueNAS 26', () => {
  it('takes two requests, and counts checkpoints only', async () => {
    const ids = [`${DATASET}@px-one`, `${DATASET}@auto-2026`, `${DATASET}-old@px-one`, `${DATASET}@pixels-copied`];
    const api = fakeApi({
      'container.query': [container(2, 'px-web'), container(3, 'px-api'), container(4, 'px-Other')],
      'zfs.resource.snapshot.query': ids.map((name) => ({ name })),
    });
    const all = await list(api, silent);
    expect(all.map(({ name, checkpointCount }) => [name, checkpointCount])).toEqual([
      ['api', 0],
      ['web', 1],
    ]);
    expect(api.calls).toHaveLength(2);
    expect(api.calls[1]?.params).toEqual([
      { paths: ['tank/.truenas_containers/containers'], recursive: true, properties: null },
    ]);
  });

  it('asks for no snapshots where there is no sandbox', async () => {
    expect(await list(fakeApi({ 'container.query': [] }), silent)).toEqual([]);
  });
});

describe('the state on TrueNAS 26', () => {
  it('is in the environment of init, whose other variables stay', async () => {
    let initenv: Record<string, string> = { LANG: 'C' };
    const api = fakeApi({
      'container.query': () => [container(7, 'px-web', { initenv })],
      'container.update': (id: number, changes: { initenv: Record<string, string> }) => {
        expect([id, Object.keys(changes)]).toEqual([7, ['initenv']]);
        initenv = changes.initenv;
        return null;
      },
    });
    await new MetaWriter(api, instancesOf(api)).updateState(web, () => ({ sshUser: 'pixel' }));
    expect(initenv['LANG']).toBe('C');
    expect(readMeta({ [META_KEY]: initenv[META_KEY]! }).state).toEqual({ sshUser: 'pixel' });
  });

  it('is not written while something else is being written to the sandbox', async () => {
    const api = fakeApi({ 'container.query': [container(7, 'px-web')] });
    const writer = new MetaWriter(api, instancesOf(api));
    const done: string[] = [];
    const first = writer.inTurn(web, async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      done.push('first');
    });
    const second = writer.updateState(web, () => (done.push('second'), {}));
    await Promise.all([first, second]);
    expect(done).toEqual(['first', 'second']);
  });
});

describe('the NIC of a new container', () => {
  const answers = {
    'network.general.summary': {
      ips: { eno1: { IPV4: ['192.168.1.50/24'] } },
      default_routes: ['192.168.1.1'],
    },
    'interface.query': [{ name: 'eno1', type: 'PHYSICAL' }],
    'container.device.nic_attach_choices': { BRIDGE: ['truenasbr0', 'br0'], MACVLAN: ['eno1'] },
  };
  const auto = { network: undefined, nic: 'auto', bridge: null, log: silentLog } as const;
  const on = (name: string) => [{ dtype: 'NIC', type: 'VIRTIO', nic_attach: name }];

  it('is on the interface that the NAS itself is on, unless it has a bridge for containers', async () => {
    expect(await nicDevices(fakeApi(answers), auto)).toEqual(on('eno1'));
    expect(await nicDevices(fakeApi({}), { ...auto, bridge: 'br0' })).toEqual([]);
    expect(await nicDevices(fakeApi({}), { ...auto, nic: 'nat' })).toEqual([]);
  });

  it('is left to the server where it connects no container to that interface', async () => {
    const none = { ...answers, 'container.device.nic_attach_choices': { BRIDGE: [], MACVLAN: [] } };
    expect(await nicDevices(fakeApi(none), auto)).toEqual([]);
  });

  it('is on the network that is asked for by name', async () => {
    expect(await nicDevices(fakeApi(answers), { ...auto, network: 'br0' })).toEqual(on('br0'));
    expect(await nicDevices(fakeApi(answers), { ...auto, network: 'eno1' })).toEqual(on('eno1'));
    await expect(nicDevices(fakeApi(answers), { ...auto, network: 'eno9' })).rejects.toMatchObject({
      kind: 'not-found',
      hint: 'It has: truenasbr0, br0, eno1.',
    });
  });

  it('is what the settings say', async () => {
    const nic = { nicType: 'MACVLAN', parent: 'eno1', mac: '02:00:00:00:00:01' } as const;
    expect(await nicDevices(fakeApi({}), { ...auto, nic })).toEqual([{ ...on('eno1')[0], mac: nic.mac }]);
  });

  it('of a copy is that of its source with an address of its own; what only one can have is left out', () => {
    const attributes = [
      { dtype: 'NIC', type: 'E1000', nic_attach: 'br0', mac: '00:a0:98:00:00:01' },
      { dtype: 'FILESYSTEM', source: '/mnt/tank/code', target: '/code' },
      { dtype: 'USB', device: 'usb_1' },
      { dtype: 'GPU', pci_address: '0000:01:00.0' },
    ];
    const { devices } = parsed(1, 'px-web', { devices: attributes.map((each) => ({ attributes: each })) });
    expect(devices.flatMap(inherited)).toEqual([
      { dtype: 'NIC', type: 'E1000', nic_attach: 'br0' },
      { dtype: 'FILESYSTEM', source: '/mnt/tank/code', target: '/code' },
    ]);
  });
});

describe('destroying a container', () => {
  const withSnapshots = (names: readonly string[], origins: unknown) =>
    fakeApi({
      'container.query': [container(7, 'px-web')],
      'pool.snapshot.query': names.map((name) => ({ name: `${DATASET}@${name}` })),
      'zfs.resource.query': origins,
      'container.delete': () => null,
    });
  const options = ({ calls }: ReturnType<typeof fakeApi>) =>
    calls.filter(({ method }) => method === 'container.delete').map(({ params }) => params[1]);
  const resource = (name: string, raw: string | null) => ({ name, properties: { origin: { raw, value: raw } } });
  const others = [resource('tank', null), resource(DATASET, 'tank/.truenas_containers/images/x@image')];

  it('takes its snapshots with it when nothing depends on them', async () => {
    const api = withSnapshots(['px-one', 'auto-2026'], others);
    await destroy({ api, log: silentLog }, web);
    expect(options(api)).toEqual([{ force: false, recursive: true }]);
  });

  it('is not recursive where there is none, and then nothing more is asked', async () => {
    const api = withSnapshots([], 'failed');
    await destroy({ api, log: silentLog }, web);
    expect(options(api)).toEqual([{ force: false, recursive: false }]);
  });

  it.each([
    ['tank/data/clone', ': clone depends'],
    ['tank/.truenas_containers/containers/px-copy', ': copy depends'],
  ])('is refused when %s depends on one', async (clone, words) => {
    const api = withSnapshots(['px-one'], [...others, resource(clone, `${DATASET}@px-one`)]);
    await expect(destroy({ api, log: silentLog }, web)).rejects.toMatchObject({
      kind: 'wrong-state',
      message: expect.stringContaining(words) as unknown,
    });
    expect(options(api)).toEqual([]);
  });

  it('is refused when nobody can say whether something depends on one', async () => {
    const api = withSnapshots(['px-one'], 'unsupported');
    await expect(destroy({ api, log: silentLog }, web)).rejects.toMatchObject({ kind: 'unsupported' });
    expect(options(api)).toEqual([]);
  });

  it('works on those that take no options: 26.0.0-BETA.3 and before', async () => {
    const api = fakeApi({
      'container.delete': (...params: unknown[]) => {
        if (params.length === 1) return null;
        const reason = '[EINVAL] Too many arguments (expected 1, found 2)';
        throw refused(new TrueNasRefusal('container.delete', { code: -32602, errno: 22, reason }));
      },
    });
    await deleteContainer(api, 7, { about: { sandbox: web } });
    expect(api.calls.at(-1)?.params).toEqual([7]);
  });
});

describe('a protected dataset', () => {
  const said = (method: string, extra: { attribute: string; message: string; errno: number }[], errno = 22) =>
    refused(new TrueNasRefusal(method, { code: -32602, errno, reason: 'no', extra }));
  const complaint = { attribute: 'zfs.resource.snapshot.create', message: 'a protected path.', errno: 13 };

  it('is told from a missing role', () => {
    expect(isProtected(said('pool.snapshot.create', [complaint]))).toBe(true);
    expect(isProtected(said('pool.snapshot.create', [], 13))).toBe(false);
    expect(isProtected(said('container.create', [complaint]))).toBe(false);
    expect(isProtected(new Error('other'))).toBe(false);
  });

  it('is no matter of rights, and said so', () => {
    const about = { sandbox: 'web', checkpoint: parseLabel('one') };
    expect(explained(said('pool.snapshot.create', [complaint]), about)).toMatchObject({
      kind: 'unsupported',
      message: expect.stringContaining('protects the datasets') as unknown,
    });
  });
});

describe('the command that copies on TrueNAS 26', () => {
  const order = {
    source: 'tank/.truenas_containers/containers/px-a',
    target: 'tank/.truenas_containers/containers/px-b',
    snapshot: 'px-ready',
    linked: false,
    rootDirectory: '.',
  } as const;

  it('mounts the copy where containers are, once it is complete and before it says so', () => {
    const steps = copyCommand(order).split('; ');
    const from = steps.findIndex((step) => step.startsWith('zfs inherit'));
    expect(steps[from - 1]).toBe('leave');
    expect(steps.slice(from)).toEqual([
      `zfs inherit mountpoint ${order.target}`,
      `zfs set canmount=on ${order.target}`,
      `zfs mount ${order.target}`,
      `zfs snapshot ${order.target}@pixels-copied`,
    ]);
  });

  it('has another one that removes its mark, for no other names', () => {
    expect(forgetCopiedCommand(order.target)).toBe(`zfs destroy ${order.target}@pixels-copied`);
    expect(() => forgetCopiedCommand('tank/data')).toThrow(expect.objectContaining({ kind: 'unsupported' }));
  });
});

describe('events of containers', () => {
  async function seenOf(...events: Parameters<ReturnType<typeof fakeApi>['tell']>[1][]) {
    const api = fakeApi({
      'container.query': (filters: unknown[][]) => (filters[0]?.[2] === 7 ? [container(7, 'px-web')] : []),
    });
    const seen: Seen[] = [];
    lookout(api, silent).subscribe((one) => seen.push(one));
    for (const event of events) {
      api.tell('container.query', event);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return { seen, calls: api.calls };
  }

  it('have a name where the server tells it, and are asked about otherwise, once', async () => {
    const fields = { name: 'px-api', status: runningAs(5) };
    const { seen, calls } = await seenOf(
      { kind: 'added', id: 3, fields },
      { kind: 'changed', id: 3, fields: { status: { state: 'STOPPED' } } },
      { kind: 'changed', id: 7, fields: {} },
      { kind: 'changed', id: 7, fields: {} },
      { kind: 'removed', id: 7, fields: {} },
      { kind: 'removed', id: 3, fields: {} },
    );
    expect(seen).toEqual([
      { name: 'api', mayRun: true },
      { name: 'api', mayRun: false },
      { name: 'web', mayRun: true },
      { name: 'web', mayRun: true },
      { name: 'web', mayRun: false },
      { name: 'api', mayRun: false },
    ]);
    expect(calls).toHaveLength(1);
  });

  it('of others are none', async () => {
    const { seen } = await seenOf(
      { kind: 'added', id: 4, fields: { name: 'jellyfin' } },
      { kind: 'changed', id: 9, fields: {} },
      { kind: 'removed', id: 9, fields: {} },
    );
    expect(seen).toEqual([]);
  });
});
