import type { Run } from '../sandbox/host';
import { instanceName } from '../sandbox/name';
import type { CopySpec, Limits, Placement, SandboxSpec } from '../sandbox/sandbox';
import type { IncusApi } from './api';
import { explainImageError, imageSource } from './images';
import { isBehindGateway } from './gateway/names';
import { change } from './operation';
import { configOf, instancePath, STATE_PREFIX } from './state';
import { inheritedSchema, networkSchema, profileSchema, type Devices } from './wire';

/** See `SandboxHost.create`. */
export async function create(api: IncusApi, spec: SandboxSpec, run: Run = {}): Promise<void> {
  const { name, image, limits, placement, state } = spec;
  const [source, devices] = await Promise.all([
    imageSource(api, image, run.signal),
    placedDevices(api, placement, run.signal),
  ]);
  const config = { ...limitsConfig(limits), ...configOf(state) };
  const body = { name: instanceName(name), type: 'container', source, config, devices };
  try {
    await change(api, 'POST', '/instances', { body, about: { name, image }, run });
  } catch (error) {
    throw await explainImageError(api, image, error);
  }
}

/** See `SandboxHost.copy`. Incus drops `volatile.*` by itself and makes a new MAC address and a new identity. */
export async function copy(api: IncusApi, spec: CopySpec, run: Run = {}): Promise<void> {
  const { name, source, limits, state } = spec;
  const { name: sourceName, label } = source;
  const sourcePath = instancePath(instanceName(sourceName)) + (label === undefined ? '' : `/snapshots/${label}`);
  const inherited = await api.read(sourcePath, inheritedSchema, {
    about: { name: sourceName, label },
    signal: run.signal,
  });
  const sourceInstance = instanceName(sourceName) + (label === undefined ? '' : `/${label}`);
  const body = {
    name: instanceName(name),
    type: 'container',
    source: { type: 'copy', source: sourceInstance, instance_only: true },
    config: { ...noState(inherited.config), ...limitsConfig(limits), ...configOf(state) },
    devices: withoutIdentity(inherited.devices),
  };
  await change(api, 'POST', '/instances', { body, about: { name }, run });
}

function limitsConfig({ cpu, memoryMiB }: Limits): Record<string, string> {
  return {
    ...(cpu === undefined ? {} : { 'limits.cpu': String(cpu) }),
    ...(memoryMiB === undefined ? {} : { 'limits.memory': `${memoryMiB}MiB` }),
  };
}

/** Keys that a copy inherits unless they are given; an empty value removes one. */
function noState(config: Readonly<Record<string, string>>): Record<string, string> {
  const keys = Object.keys(config).filter((key) => key.startsWith(STATE_PREFIX));
  return Object.fromEntries(keys.map((key) => [key, '']));
}

/** What in a NIC's settings would make the copy pass for its source on the network. */
const IDENTITY = new Set(['hwaddr', 'ipv4.address', 'ipv6.address', 'host_name']);

/** The NICs of a source that have fixed addresses, without them. Devices that are not given are inherited as they are. */
function withoutIdentity(devices: Devices): Devices {
  const changed = Object.entries(devices)
    .filter(([, device]) => device['type'] === 'nic' && Object.keys(device).some((key) => IDENTITY.has(key)))
    .map(([name, device]) => {
      // Whoever starts the copy sees to what it may reach; until then it has nothing.
      if (isBehindGateway(device)) return [name, { type: 'none' }];
      return [name, Object.fromEntries(Object.entries(device).filter(([key]) => !IDENTITY.has(key)))];
    });
  return Object.fromEntries(changed) as Devices;
}

/** The default profile's root disk and NIC, moved to another pool or network. Devices that are not given are the profile's. */
export async function placedDevices(
  api: IncusApi,
  { pool, network }: Placement,
  signal?: AbortSignal,
): Promise<Devices> {
  if (pool === undefined && network === undefined) return {};
  const { devices } = await api.read('/profiles/default', profileSchema, { signal });
  const [rootName, root] = Object.entries(devices).find(([, { type, path }]) => type === 'disk' && path === '/') ?? [];
  const [nicName, nic] = Object.entries(devices).find(([, { type }]) => type === 'nic') ?? [];
  return {
    ...(pool === undefined ? {} : { [rootName ?? 'root']: { ...root, type: 'disk', path: '/', pool } }),
    ...(network === undefined
      ? {}
      : { [nicName ?? 'eth0']: { ...(await nicOn(api, network, signal)), name: nic?.['name'] ?? 'eth0' } }),
  };
}

/** A NIC on a network that Incus manages, or on a bridge that the host has. @throws `not-found`. */
async function nicOn(api: IncusApi, network: string, signal?: AbortSignal): Promise<Record<string, string>> {
  const { managed } = await api.read(`/networks/${encodeURIComponent(network)}`, networkSchema, { signal });
  return managed ? { type: 'nic', network } : { type: 'nic', nictype: 'bridged', parent: network };
}
