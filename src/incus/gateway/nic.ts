import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { PixelsError } from '../../sandbox/errors';
import { addressOfMac, gatewayAddress, gatewayMac, GATEWAY_NETWORK } from '../../sandbox/gateway';
import type { Run } from '../../sandbox/host';
import { instanceName, type SandboxName } from '../../sandbox/name';
import type { IncusApi } from '../api';
import { isRefusal } from '../errors';
import { change } from '../operation';
import { instancePath } from '../state';
import { instanceSchema, parseJson, parseWire, type Devices, type Instance } from '../wire';
import { BEFORE_KEY, isBehindGateway } from './names';

type Texts = Readonly<Record<string, string>>;

/** What the instance itself said of NICs and config before, not what its profiles say; null: nothing. */
const beforeSchema = z.object({
  devices: z.record(z.string(), z.nullable(z.record(z.string(), z.string()))),
  config: z.record(z.string(), z.nullable(z.string())),
});
type Before = z.infer<typeof beforeSchema>;

/** What a sandbox behind a gateway is not to have: machines of its own inside, and Incus' API for guests. */
const CONFIG: Texts = { 'security.nesting': 'false', 'security.guestapi': 'false' };

/**
 * Such a NIC sends from its own MAC address only, by IPv4, and to nobody but the gateway; Incus' host sees to it. Not to its IPv4
 * address as well: that would keep it from asking the gateway for one, since Incus lets only its own DHCP server be asked then.
 */
function nicAt(network: string, address: string, name: string): Record<string, string> {
  return {
    type: 'nic',
    network,
    name,
    hwaddr: gatewayMac(address),
    'ipv6.address': 'none',
    'security.mac_filtering': 'true',
    'security.ipv6_filtering': 'true',
    'security.port_isolation': 'true',
  };
}

/** The sandbox's address behind the gateway, if it is there. */
export function addressIn({ expanded_devices: devices }: Pick<Instance, 'expanded_devices'>): string | undefined {
  const mac = Object.values(devices).find(isBehindGateway)?.['hwaddr'];
  return mac === undefined ? undefined : addressOfMac(mac);
}

/** See `GatewayHost.attach`; the network is there. */
export async function attach(api: IncusApi, network: string, name: SandboxName, run: Run = {}): Promise<string> {
  let address: string | undefined;
  await changeInstance(api, name, run, async (instance) => {
    address = addressIn(instance);
    if (address !== undefined) return undefined;
    address = freeAddress(name, await takenAddresses(api, run.signal));
    return attached(instance, network, address);
  });
  if (address === undefined) throw new PixelsError('protocol', `${name} got no address behind the gateway.`);
  return address;
}

/** See `GatewayHost.detach`. */
export async function detach(api: IncusApi, name: SandboxName, run: Run = {}): Promise<boolean> {
  let wasThere = false;
  await changeInstance(api, name, run, (instance) => {
    wasThere = instance.config[BEFORE_KEY] !== undefined;
    return Promise.resolve(wasThere ? detached(instance) : undefined);
  });
  return wasThere;
}

type Change = Pick<Instance, 'config' | 'devices'>;

/** Every NIC but one is gone, and that one leads to the gateway. What a copy has kept of its source's goes before. */
function attached(instance: Instance, network: string, address: string): Change {
  const { config, devices, expanded_devices: all } = instance;
  const kept = beforeOf(config);
  const nics = [...new Set([...nicsIn(all), ...Object.keys(kept?.devices ?? {})])].sort();
  const before = kept ?? {
    devices: Object.fromEntries(nics.map((nic) => [nic, devices[nic] ?? null])),
    config: Object.fromEntries(Object.keys(CONFIG).map((key) => [key, config[key] ?? null])),
  };
  const [first = 'eth0', ...others] = nics;
  return {
    config: { ...config, ...CONFIG, [BEFORE_KEY]: JSON.stringify(before) },
    devices: {
      ...devices,
      ...Object.fromEntries(others.map((nic) => [nic, { type: 'none' }])),
      [first]: nicAt(network, address, all[first]?.['name'] ?? before.devices[first]?.['name'] ?? 'eth0'),
    },
  };
}

function detached({ config, devices }: Instance): Change {
  const before = beforeOf(config) ?? { devices: {}, config: {} };
  return {
    config: restored({ ...config, [BEFORE_KEY]: '' }, { ...before.config, [BEFORE_KEY]: null }),
    devices: restored(devices, before.devices),
  };
}

function restored<T>(now: Readonly<Record<string, T>>, before: Readonly<Record<string, T | null>>): Record<string, T> {
  const kept = Object.entries(now).filter(([key]) => !(key in before));
  const given = Object.entries(before).flatMap(([key, value]) => (value === null ? [] : [[key, value] as const]));
  return Object.fromEntries([...kept, ...given]);
}

function beforeOf(config: Texts): Before | undefined {
  const text = config[BEFORE_KEY];
  return text === undefined ? undefined : parseWire(beforeSchema, parseJson(text, BEFORE_KEY), BEFORE_KEY);
}

function nicsIn(devices: Devices): string[] {
  return Object.keys(devices).filter((device) => devices[device]?.['type'] === 'nic');
}

/** Of all instances of the project, whoever made them. */
async function takenAddresses(api: IncusApi, signal?: AbortSignal): Promise<ReadonlySet<string>> {
  const all = await api.read('/instances', z.array(instanceSchema), { query: { recursion: 1 }, signal });
  return new Set(all.flatMap((instance) => addressIn(instance) ?? []));
}

/** The same one for the same name, as long as nobody else has it: two at work at once do not choose the same. */
function freeAddress(name: SandboxName, taken: ReadonlySet<string>): string {
  const { first, last } = GATEWAY_NETWORK;
  const count = last - first + 1;
  const start = createHash('sha256').update(name).digest().readUInt32BE() % count;
  for (let tried = 0; tried < count; tried++) {
    const address = gatewayAddress(first + ((start + tried) % count));
    if (!taken.has(address)) return address;
  }
  throw new PixelsError('failed', `There are ${count} sandboxes behind the gateway, which is as many as there can be.`);
}

/** Reads, changes and writes an instance's own config and devices; nothing is written for `undefined`. */
async function changeInstance(
  api: IncusApi,
  name: SandboxName,
  { signal }: Run,
  compute: (instance: Instance) => Promise<Change | undefined>,
): Promise<void> {
  const path = instancePath(instanceName(name));
  for (;;) {
    const { value: instance, etag } = await api.readTagged(path, instanceSchema, { about: { name }, signal });
    const changed = await compute(instance);
    if (changed === undefined) return;
    const { architecture, ephemeral, profiles, description } = instance;
    const body = { architecture, ephemeral, profiles, description, ...changed };
    try {
      await change(api, 'PUT', path, { body, headers: { 'If-Match': etag }, about: { name } });
      return;
    } catch (error) {
      if (!isRefusal(error, 'etag')) throw error;
    }
  }
}
