import { describe, expect, it } from 'vitest';
import { chooseNic, gatewayInterface, type NetworkFacts } from '../../../../src/truenas/common/nic';
import { nicDevices } from '../../../../src/truenas/virt/nic';
import { silentLog } from '../../../../src/sandbox/log';
import { fakeApi } from './fakeApi';

const facts = (more: Partial<NetworkFacts> & { type?: string } = {}): NetworkFacts => ({
  summary: { ips: { enp3s0: { IPV4: ['192.168.1.50/24'] } }, default_routes: ['192.168.1.1'] },
  interfaces: [{ name: 'enp3s0', type: more.type ?? 'PHYSICAL' }],
  bridges: [],
  ...more,
});

describe('the interface of the default route', () => {
  it('is found where DHCP gave the address, which the summary knows', () => {
    const ips = {
      incusbr0: { IPV4: ['10.203.214.1/24'] },
      enp3s0: { IPV4: ['192.168.1.50/24'], IPV6: ['fe80::1/64'] },
      enp4s0: {},
    };
    expect(gatewayInterface({ ips, default_routes: ['fe80::1', '192.168.1.1'] })).toBe('enp3s0');
  });

  it('is told from others by the prefix length', () => {
    const ips = { a: { IPV4: ['10.0.0.5/30'] }, b: { IPV4: ['10.0.0.200/25'] }, c: { IPV4: ['10.0.0.6/16'] } };
    expect(gatewayInterface({ ips, default_routes: ['10.0.0.129'] })).toBe('b');
  });

  it('is none without a route, and with one that nobody is near to', () => {
    expect(gatewayInterface({ ips: { a: { IPV4: ['10.0.0.5/24'] } }, default_routes: [] })).toBeUndefined();
    expect(gatewayInterface({ ips: { a: { IPV4: ['10.0.0.5/24'] } }, default_routes: ['10.0.1.1'] })).toBeUndefined();
    expect(gatewayInterface({ ips: {}, default_routes: ['10.0.1.1'] })).toBeUndefined();
  });

  it('is not found by addresses that are none', () => {
    const ips = { a: { IPV4: ['', 'x/24', '10.0.0.5', '10.0.0.5/99'] } };
    expect(gatewayInterface({ ips, default_routes: ['10.0.0.1', ''] })).toBeUndefined();
  });
});

describe('the NIC of a new sandbox', () => {
  it.each(['PHYSICAL', 'LINK_AGGREGATION', 'VLAN'])('is a macvlan on a %s interface', (type) => {
    expect(chooseNic(facts({ type }))).toEqual({ nicType: 'MACVLAN', parent: 'enp3s0' });
  });

  it('is in the bridge that the NAS itself is on', () => {
    const bridged = { type: 'BRIDGE', bridges: ['br0', 'enp3s0'] };
    expect(chooseNic(facts(bridged))).toEqual({ nicType: 'BRIDGED', parent: 'enp3s0' });
  });

  it('is left to the default profile where a bridge takes none (a pair of controllers), and for other kinds', () => {
    expect(chooseNic(facts({ type: 'BRIDGE' }))).toBeUndefined();
    expect(chooseNic(facts({ type: 'UNKNOWN' }))).toBeUndefined();
    expect(chooseNic(facts({ interfaces: [] }))).toBeUndefined();
    expect(chooseNic(facts({ summary: { ips: {}, default_routes: [] } }))).toBeUndefined();
  });
});

describe('the devices of a new sandbox', () => {
  const answers = {
    'network.general.summary': facts().summary,
    'interface.query': facts().interfaces,
    'virt.device.nic_choices': (kind: unknown) =>
      kind === 'BRIDGED' ? { br0: 'br0' } : { br0: 'br0', enp3s0: 'enp3s0' },
  };
  const config = { pool: 'tank', storage_pools: ['tank'], bridge: null, state: 'INITIALIZED' };
  const auto = { network: undefined, nic: 'auto', log: silentLog } as const;
  const macvlan = { dev_type: 'NIC', nic_type: 'MACVLAN', parent: 'enp3s0' };
  const bridged = { dev_type: 'NIC', nic_type: 'BRIDGED', parent: 'br0' };

  it('are chosen from the network that the NAS is on', async () => {
    expect(await nicDevices(fakeApi(answers), config, auto)).toEqual([macvlan]);
  });

  it('are none where the global settings have a bridge, and nothing is asked', async () => {
    const api = fakeApi(answers);
    expect(await nicDevices(api, { ...config, bridge: 'br0' }, auto)).toEqual([]);
    expect(api.calls).toEqual([]);
  });

  it('are what the settings say', async () => {
    const mac = '02:00:00:00:00:01';
    const own = { ...auto, nic: { nicType: 'BRIDGED', parent: 'br0', mac } } as const;
    expect(await nicDevices(fakeApi({}), config, own)).toEqual([{ ...bridged, mac }]);
    expect(await nicDevices(fakeApi({}), { ...config, bridge: 'br1' }, { ...auto, nic: 'nat' })).toEqual([]);
  });

  it('are on the network that is asked for by name', async () => {
    const on = (network: string) => nicDevices(fakeApi(answers), config, { ...auto, nic: 'nat', network });
    expect(await on('br0')).toEqual([bridged]);
    expect(await on('enp3s0')).toEqual([macvlan]);
    await expect(on('br7')).rejects.toMatchObject({ kind: 'not-found', hint: 'It has: br0, enp3s0.' });
  });

  it('are none for a key that may not see the network', async () => {
    expect(await nicDevices(fakeApi({ ...answers, 'interface.query': 'forbidden' }), config, auto)).toEqual([]);
  });
});
