import * as z from 'zod/mini';
import { describe, expect, it } from 'vitest';
import { leasedAddresses, stateAddresses } from '../../../src/incus/addresses';
import { readNote, settingsOf } from '../../../src/incus/journal';
import { progressOf } from '../../../src/incus/operation';
import { isReverted, withSettings } from '../../../src/incus/rollback';
import { cpuCount, memoryMiB, sandboxOf } from '../../../src/incus/sandboxes';
import { configOf, stateOf } from '../../../src/incus/state';
import { instanceSchema, parseJson, parseWire, type Instance } from '../../../src/incus/wire';
import { parseName } from '../../../src/sandbox/name';

const config = {
  'volatile.uuid': 'u0',
  'volatile.uuid.generation': 'u0',
  'volatile.eth0.hwaddr': '10:66:6A:00:00:01',
  'limits.cpu': '2',
  'user.pixels.hostKey': 'ssh-ed25519 AAAA',
};
const nic = { type: 'nic', name: 'eth0', network: 'br0' };
const instance: Instance = {
  name: 'px-web',
  type: 'container',
  status_code: 103,
  created_at: '2026-11-23T13:27:02.725840415Z',
  description: '',
  architecture: 'x86_64',
  ephemeral: false,
  profiles: ['default'],
  config,
  devices: {},
  expanded_config: { ...config, 'image.description': 'Debian bookworm amd64 (20261123)' },
  expanded_devices: { eth0: nic, root: { type: 'disk', path: '/', pool: 'default' } },
};

describe('limits', () => {
  it('counts CPUs, also of a set', () => {
    expect(['2', '0-3', '1,3', '0-1,5', '', undefined].map(cpuCount)).toEqual([2, 4, 2, 3, undefined, undefined]);
  });

  it('reads sizes in MiB, and no shares', () => {
    const sizes = ['512MiB', '2GiB', '1GB', '1073741824', '1048576kB', '50%', '', undefined];
    expect(sizes.map(memoryMiB)).toEqual([512, 2048, 954, 1024, 1000, undefined, undefined, undefined]);
  });
});

describe('addresses', () => {
  it('of leases are those of the instance’s NICs, IPv4 first', () => {
    const leases = [
      { hwaddr: '10:66:6a:00:00:01', address: 'fd00::1' },
      { hwaddr: '10:66:6a:00:00:01', address: '10.0.0.7' },
      { hwaddr: '10:66:6a:00:00:02', address: '10.0.0.8' },
    ];
    expect(leasedAddresses(instance, leases)).toEqual(['10.0.0.7', 'fd00::1']);
  });

  it('of the state leave out loopback, link-local and bridges inside the sandbox', () => {
    const of = (address: string, family: string, scope = 'global') => ({ address, family, scope });
    const network = {
      lo: { hwaddr: '', addresses: [of('127.0.0.1', 'inet', 'local')] },
      eth0: {
        hwaddr: '10:66:6a:00:00:01',
        addresses: [of('fe80::1', 'inet6', 'link'), of('fd00::1', 'inet6'), of('10.0.0.7', 'inet')],
      },
      docker0: { hwaddr: '02:42:00:00:00:01', addresses: [of('172.17.0.1', 'inet')] },
    };
    expect(stateAddresses(instance, network)).toEqual(['10.0.0.7', 'fd00::1']);
    expect(stateAddresses(instance, null)).toEqual([]);
  });
});

describe('an instance', () => {
  const around = { addresses: [], checkpointCount: 0, reverted: undefined };

  it('becomes a sandbox', () => {
    expect(sandboxOf(parseName('web'), instance, around)).toMatchObject({
      status: 'running',
      cpu: 2,
      image: 'Debian bookworm amd64 (20261123)',
      createdAt: new Date('2026-11-23T13:27:02.725Z'),
      state: { hostKey: 'ssh-ed25519 AAAA' },
    });
  });

  it('with a status that Incus may invent one day is in error', () => {
    expect(sandboxOf(parseName('web'), { ...instance, status_code: 999 }, around).status).toBe('error');
  });

  it('keeps its state in keys of its own', () => {
    expect(configOf({ sshUser: 'pixel', mark: null })).toEqual({
      'user.pixels.sshUser': 'pixel',
      'user.pixels.mark': '',
    });
    expect(stateOf({ 'user.other': 'x', 'user.pixels.generation': 'g', 'user.pixels.mark': 'm' })).toEqual({
      mark: 'm',
    });
  });
});

describe('a reverted instance', () => {
  const generation = (value: string, recorded?: string) =>
    isReverted({
      config: {
        'volatile.uuid': 'u0',
        'volatile.uuid.generation': value,
        ...(recorded === undefined ? {} : { 'user.pixels.generation': recorded }),
      },
    });

  it('is one whose generation is not the one that its settings belong to', () => {
    expect(generation('u0')).toBe(false); // never restored
    expect(generation('u0', 'g1')).toBe(false); // a copy of a restored one, by somebody else
    expect(generation('g1')).toBe(true);
    expect(generation('g1', 'g1')).toBe(false);
    expect(generation('g2', 'g1')).toBe(true);
    expect(isReverted({ config: {} })).toBe(false); // Incus before it knew generations
  });

  it('gets its settings back, but not what is Incus’ own', () => {
    const reverted = { ...instance, config: { ...config, 'limits.cpu': '1', 'volatile.uuid.generation': 'g1' } };
    const body = withSettings(reverted, { ...settingsOf(instance), description: 'mine' });
    expect(body).toMatchObject({
      description: 'mine',
      config: {
        'limits.cpu': '2',
        'user.pixels.hostKey': 'ssh-ed25519 AAAA',
        'user.pixels.generation': 'g1',
        'volatile.uuid.generation': 'g1',
      },
    });
  });

  it('has a journal only where a rollback wrote it', () => {
    const settings = settingsOf(instance);
    const text = (label: string) =>
      `Pixels rollback in progress: ${JSON.stringify({ label, description: 'a person’s', settings })}`;
    expect(readNote({ name: 'px-web', description: text('a') })).toBeUndefined();
    expect(readNote({ name: 'px-web/a', description: 'plain' })).toMatchObject({
      description: 'plain',
      settings: undefined,
    });
    expect(readNote({ name: 'px-web/a', description: text('a') })).toEqual({
      label: 'a',
      description: 'a person’s',
      settings,
    });
    expect(readNote({ name: 'px-web/b', description: text('a') })?.settings).toBeUndefined();
    const torn = 'Pixels rollback in progress: {"label"';
    expect(readNote({ name: 'px-web/a', description: torn })?.settings).toBeUndefined();
  });
});

describe('progressOf', () => {
  it('reads what Incus says of a download and of unpacking', () => {
    expect(progressOf({ download_progress: 'rootfs: 45% (12.30MB/s)' })).toEqual({
      message: 'Downloading the image: 45%, 12.30MB/s',
      fraction: 0.45,
    });
    expect(progressOf({ create_instance_from_image_unpack_progress: 'Unpacking image: 80% (1.20GB/s)' })).toEqual({
      message: 'Unpacking the image: 80%, 1.20GB/s',
      fraction: 0.8,
    });
    expect(progressOf({ download_progress: 'metadata: 3.10MB' })).toEqual({ message: 'Downloading the image' });
    expect(progressOf({ fds: {} })).toBeUndefined();
  });
});

describe('the wire', () => {
  it('lets unknown fields through and names the one that is missing', () => {
    expect(parseWire(instanceSchema, { ...instance, brand_new: true }, 'GET /x')).toMatchObject({ name: 'px-web' });
    const broken: Record<string, unknown> = { ...instance };
    delete broken['status_code'];
    expect(() => parseWire(z.array(instanceSchema), [instance, broken], 'GET /x')).toThrow(
      expect.objectContaining({
        kind: 'protocol',
        message: expect.stringContaining('1.status_code') as string,
      }) as Error,
    );
  });

  it('says so when the answer is no JSON', () => {
    expect(() => parseJson('<html>', 'GET /x')).toThrow(expect.objectContaining({ kind: 'protocol' }) as Error);
  });
});
