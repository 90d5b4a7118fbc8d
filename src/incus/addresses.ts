import { isIPv4 } from 'node:net';
import * as z from 'zod/mini';
import { PixelsError } from '../sandbox/errors';
import type { IncusApi } from './api';
import { isBehindGateway } from './gateway/names';
import { instancePath } from './state';
import { fullInstanceSchema, leaseSchema, stateSchema, type Instance, type NetworkState } from './wire';

type Lease = z.infer<typeof leaseSchema>;

/** Up to so many instances are asked for their state one by one; more are asked for all at once. */
const FEW = 4;

/**
 * The addresses of running instances, by instance name. One request for each managed network, whose DHCP server knows them;
 * only instances with a NIC on another network have to be asked themselves, which costs more.
 */
export async function loadAddresses(
  api: IncusApi,
  running: readonly Instance[],
  signal?: AbortSignal,
): Promise<Map<string, string[]>> {
  const networks = [...new Set(running.flatMap((instance) => networksOf(instance)))];
  const known = await Promise.all(networks.map((network) => loadLeases(api, network, signal)));
  const leases = new Map(networks.flatMap((network, index) => (known[index] ? [[network, known[index]]] : [])));
  const allLeases = [...leases.values()].flat();
  const addresses = new Map(running.map((instance) => [instance.name, leasedAddresses(instance, allLeases)]));
  const others = running.filter((instance) => !isCovered(instance, leases));
  for (const [name, own] of await loadStateAddresses(api, others, signal)) addresses.set(name, own);
  return addresses;
}

/** The addresses that the DHCP servers have given to the instance's NICs, IPv4 first. */
export function leasedAddresses(instance: Instance, leases: readonly Lease[]): string[] {
  const macs = new Set<string>();
  for (const [device, { type, hwaddr }] of Object.entries(instance.expanded_devices)) {
    const mac = hwaddr ?? instance.expanded_config[`volatile.${device}.hwaddr`];
    if (type === 'nic' && mac !== undefined) macs.add(mac.toLowerCase());
  }
  return ordered(leases.filter(({ hwaddr }) => macs.has(hwaddr.toLowerCase())).map(({ address }) => address));
}

/** The addresses of the instance's own NICs, IPv4 first; not one behind a gateway, to which nobody has a route, and not those of bridges that something inside has made. */
export function stateAddresses(instance: Instance, network: NetworkState | null): string[] {
  const interfaces = nicsOf(instance).flatMap(([device, { name }]) => network?.[name ?? device] ?? []);
  const addresses = interfaces.flatMap((nic) => nic.addresses);
  return ordered(addresses.filter(({ scope }) => scope === 'global').map(({ address }) => address));
}

/** Undefined when the network has no DHCP server that Incus could ask. */
async function loadLeases(api: IncusApi, network: string, signal?: AbortSignal): Promise<Lease[] | undefined> {
  try {
    return await api.read(`/networks/${encodeURIComponent(network)}/leases`, z.array(leaseSchema), { signal });
  } catch (error) {
    if (error instanceof PixelsError && ['not-found', 'forbidden', 'failed'].includes(error.kind)) return undefined;
    throw error;
  }
}

async function loadStateAddresses(
  api: IncusApi,
  instances: readonly Instance[],
  signal?: AbortSignal,
): Promise<(readonly [string, string[]])[]> {
  if (instances.length <= FEW) {
    return Promise.all(
      instances.map(async (instance) => {
        const { network } = await api.read(`${instancePath(instance.name)}/state`, stateSchema, { signal });
        return [instance.name, stateAddresses(instance, network)] as const;
      }),
    );
  }
  const wanted = new Set(instances.map(({ name }) => name));
  const all = await api.read('/instances', z.array(fullInstanceSchema), { query: { recursion: 2 }, signal });
  return all
    .filter(({ name }) => wanted.has(name))
    .map((instance) => [instance.name, stateAddresses(instance, instance.state?.network ?? null)] as const);
}

function isCovered(instance: Instance, leases: ReadonlyMap<string, unknown>): boolean {
  return nicsOf(instance).every(([, { network }]) => network !== undefined && leases.has(network));
}

function networksOf(instance: Instance): string[] {
  return nicsOf(instance).flatMap(([, { network }]) => network ?? []);
}

function nicsOf(instance: Instance): [string, Record<string, string>][] {
  return Object.entries(instance.expanded_devices).filter(
    ([, device]) => device['type'] === 'nic' && !isBehindGateway(device),
  );
}

function ordered(addresses: readonly string[]): string[] {
  const unique = [...new Set(addresses)];
  return [...unique.filter((address) => isIPv4(address)), ...unique.filter((address) => !isIPv4(address))];
}
