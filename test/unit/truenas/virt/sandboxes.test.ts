import * as z from 'zod/mini';
import { describe, expect, it } from 'vitest';
import { parseName } from '../../../../src/sandbox/name';
import { META_KEY } from '../../../../src/truenas/meta';
import { addressesOf, cpuCount, sandboxOf, statusOf } from '../../../../src/truenas/virt/sandboxes';
import { instanceSchema } from '../../../../src/truenas/virt/wire';
import { instance } from './fakeApi';

const parsed = (more: object) => z.parse(instanceSchema, instance('px-web', more));

describe('an instance as a sandbox', () => {
  it.each([
    ['RUNNING', 'running'],
    ['STOPPED', 'stopped'],
    ['FROZEN', 'frozen'],
    ['FREEZING', 'frozen'],
    ['THAWED', 'running'],
    ['STARTING', 'starting'],
    ['STOPPING', 'stopping'],
    ['ABORTING', 'stopping'],
    ['ERROR', 'error'],
    ['UNKNOWN', 'error'],
    ['SOMETHING NEW', 'error'],
  ])('%s is %s', (status, shown) => expect(statusOf({ status })).toBe(shown));

  it.each([
    [null, undefined],
    ['', undefined],
    ['2', 2],
    ['0-1', 2],
    ['0-1,3', 3],
    ['0,2,4-7', 6],
    ['x', undefined],
    ['0-1,', undefined],
  ])('has of the CPUs %s so many: %s', (limit, count) => expect(cpuCount(limit)).toBe(count));

  it('has its limits, image, state, mark and time of creation', () => {
    const mark = JSON.stringify({ action: 'clone', id: 'i', host: 'h', pid: 1, since: 2 });
    const text = JSON.stringify({ v: 1, createdAt: '2026-11-23T14:05:01.000Z', sshUser: 'pixel', mark });
    const of = { cpu: '0-3', memory: 300 * 2 ** 20, environment: { [META_KEY]: text, LANG: 'C' }, status: 'RUNNING' };
    expect(sandboxOf(parseName('web'), parsed(of), 3)).toEqual({
      name: 'web',
      status: 'running',
      addresses: [],
      cpu: 4,
      memoryMiB: 300,
      createdAt: new Date('2026-11-23T14:05:01.000Z'),
      image: 'Debian bookworm amd64 (20261123)',
      checkpointCount: 3,
      state: { sshUser: 'pixel', mark },
      mark: { action: 'clone', id: 'i', host: 'h', pid: 1, since: 2 },
    });
  });

  it('that others have made is as old as Incus says, where it may be asked', () => {
    const raw = { created_at: '2026-08-21T10:11:12Z', expanded_devices: {} };
    expect(sandboxOf(parseName('web'), parsed({ raw }), 0).createdAt).toEqual(new Date('2026-08-21T10:11:12Z'));
    expect(sandboxOf(parseName('web'), parsed({ raw: '********' }), 0).createdAt).toEqual(new Date(0));
  });

  it('has the addresses of its NICs, IPv4 first, not those of bridges inside', () => {
    const address = (text: string, scope = 'global') => ({ address: text, scope });
    const network = {
      docker0: { addresses: [address('172.17.0.1')] },
      eth0: { addresses: [address('fe80::1', 'link'), address('2001:db8::1'), address('192.168.1.7')] },
      lo: { addresses: [address('127.0.0.1', 'local')] },
    };
    const expanded_devices = { eth0: { type: 'nic' }, root: { type: 'disk', path: '/' } };
    const raw = { created_at: '2026-08-21T10:11:12Z', expanded_devices, state: { network } };
    expect(addressesOf(parsed({ raw }))).toEqual(['192.168.1.7', '2001:db8::1']);
    const named = { ...raw, expanded_devices: { nic: { type: 'nic', name: 'eth0' } } };
    expect(addressesOf(parsed({ raw: named }))).toEqual(['192.168.1.7', '2001:db8::1']);
    expect(addressesOf(parsed({ raw: { ...raw, state: { network: null } } }))).toEqual([]);
  });

  it('has all addresses for a user who may not see more', () => {
    const aliases = [
      { type: 'INET6', address: '2001:db8::1', netmask: 64 },
      { type: 'INET', address: '192.168.1.7', netmask: 24 },
    ];
    expect(addressesOf(parsed({ aliases, raw: '********' }))).toEqual(['192.168.1.7', '2001:db8::1']);
  });
});
