import { BlockList, isIPv4 } from 'node:net';
import * as z from 'zod/mini';
import { isKind, PixelsError } from '../../sandbox/errors';
import type { Log } from '../../sandbox/log';
import type { TrueNasApi } from '../api';
import { interfaceSchema, networkSummarySchema, type NetworkSummary } from './wire';

/**
 * How new sandboxes are connected. `auto`: to the network that the NAS itself is on, see {@link chooseNic}. `nat`: to
 * the server's own bridge, from where they reach the network and nothing there reaches them.
 */
export type NicOption = 'auto' | 'nat' | Nic;

/** A NIC of an instance, in the words of 25.x. */
export interface Nic {
  readonly nicType: 'BRIDGED' | 'MACVLAN';
  /** An interface of the NAS. */
  readonly parent: string;
  /** `02:00:…`; from 25.10 on. */
  readonly mac?: string | undefined;
}

/** What the choice depends on. */
export interface NetworkFacts {
  readonly summary: NetworkSummary;
  /** Names and types of the NAS's interfaces: PHYSICAL, BRIDGE, VLAN, LINK_AGGREGATION. */
  readonly interfaces: readonly { readonly name: string; readonly type: string }[];
  /** What the server offers for BRIDGED; on 25.x nothing on a pair of controllers (HA). */
  readonly bridges: readonly string[];
}

/** Names of interfaces of the NAS that a NIC of a kind can be on. */
export type NicChoices = (kind: Nic['nicType'], signal?: AbortSignal) => Promise<readonly string[]>;

export interface NicWish {
  /** An interface of the NAS by its name, where somebody asked for one. */
  readonly network: string | undefined;
  readonly nic: NicOption;
  /** The bridge that the server connects everything to that has no NIC of its own, where one was set. */
  readonly bridge: string | null | undefined;
  readonly choices: NicChoices;
  readonly log: Log;
}

/** The NIC of a new sandbox; undefined leaves it what the server gives to those without. @throws `not-found`. */
export async function chosenNic(
  api: TrueNasApi,
  { network, nic, bridge, choices, log }: NicWish,
  signal?: AbortSignal,
): Promise<Nic | undefined> {
  if (network !== undefined) return nicOn(choices, network, signal);
  if (nic === 'nat') return undefined;
  if (nic !== 'auto') return nic;
  if (bridge) return undefined;
  try {
    const chosen = chooseNic(await readFacts(api, choices, signal));
    if (chosen?.nicType === 'MACVLAN') {
      log.info(`NIC on ${chosen.parent} by macvlan: the NAS and its sandboxes cannot reach each other`);
    }
    return chosen;
  } catch (error) {
    if (!isKind(error, 'forbidden')) throw error;
    log.warn('this API key may not see the network of the NAS: sandboxes are connected by NAT');
    return undefined;
  }
}

/**
 * A NIC on the interface that the NAS's own default route goes over: in a bridge where that is one, by macvlan otherwise.
 * Undefined (the server's NAT) where there is no such interface, or it is of a kind that takes neither.
 */
export function chooseNic({ summary, interfaces, bridges }: NetworkFacts): Nic | undefined {
  const parent = gatewayInterface(summary);
  switch (interfaces.find(({ name }) => name === parent)?.type) {
    case 'BRIDGE':
      return parent !== undefined && bridges.includes(parent) ? { nicType: 'BRIDGED', parent } : undefined;
    case 'PHYSICAL':
    case 'LINK_AGGREGATION':
    case 'VLAN':
      return parent === undefined ? undefined : { nicType: 'MACVLAN', parent };
    default:
      return undefined;
  }
}

/** The interface in whose IPv4 network a default gateway is. `ips` has what the interfaces have now, by DHCP too. */
export function gatewayInterface({ ips, default_routes: gateways }: NetworkSummary): string | undefined {
  const [name] =
    Object.entries(ips).find(([, { IPV4: own = [] }]) =>
      own.some((network) => gateways.some((gateway) => contains(network, gateway))),
    ) ?? [];
  return name;
}

async function readFacts(api: TrueNasApi, choices: NicChoices, signal?: AbortSignal): Promise<NetworkFacts> {
  const [summary, interfaces, bridges] = await Promise.all([
    api.call('network.general.summary', [], networkSummarySchema, { signal }),
    api.call('interface.query', [[], { select: ['name', 'type'] }], z.array(interfaceSchema), { signal }),
    choices('BRIDGED', signal),
  ]);
  return { summary, interfaces, bridges };
}

/** A NIC on a bridge or another interface of the NAS, by its name. @throws `not-found`. */
async function nicOn(choices: NicChoices, network: string, signal?: AbortSignal): Promise<Nic> {
  const [bridges, others] = await Promise.all([choices('BRIDGED', signal), choices('MACVLAN', signal)]);
  if (bridges.includes(network)) return { nicType: 'BRIDGED', parent: network };
  if (others.includes(network)) return { nicType: 'MACVLAN', parent: network };
  const known = [...new Set([...bridges, ...others])].join(', ');
  throw new PixelsError('not-found', `TrueNAS has no interface "${network}" that a sandbox could be connected to.`, {
    hint: known === '' ? 'It has none at all; leave the network out.' : `It has: ${known}.`,
  });
}

function contains(network: string, address: string): boolean {
  const [base = '', prefix = ''] = network.split('/');
  if (!isIPv4(base) || !isIPv4(address) || !/^\d{1,2}$/.test(prefix) || Number(prefix) > 32) return false;
  const subnet = new BlockList();
  subnet.addSubnet(base, Number(prefix));
  return subnet.check(address);
}
