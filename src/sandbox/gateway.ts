import type { ExecRequest, ExecSession, Run } from './host';
import type { SandboxName } from './name';
import type { Placement } from './sandbox';

/**
 * What a server can do for sandboxes that are to have one way out only: a network of their own that leads nowhere, and on it a machine,
 * the gateway, that is on the network of the others too. What passes there is the egress room's business.
 *
 * On that network the server itself sees to it that each sandbox sends from its own MAC address only, and none reaches another one.
 * Methods throw only `PixelsError`.
 */
export interface GatewayHost {
  /** Why there can be no gateway on this server, as a sentence; undefined when there can. */
  lack(signal?: AbortSignal): Promise<string | undefined>;

  /**
   * Makes a sandbox's only NIC one on that network, which is made where it is missing. A running one loses the network that it was on.
   * What it had before is kept with it. Nothing happens when it is there.
   * @returns its address there, which is one in {@link GATEWAY_NETWORK}.
   * @throws `not-found`, `forbidden`.
   */
  attach(name: SandboxName, run?: Run): Promise<string>;

  /** Gives a sandbox back what it had before. @returns whether it was on that network. @throws `not-found`. */
  detach(name: SandboxName, run?: Run): Promise<boolean>;

  /** Its address on that network; undefined when it is not on it. @throws `not-found`. */
  addressOf(name: SandboxName, signal?: AbortSignal): Promise<string | undefined>;

  /**
   * Sees to it that the gateway is there and runs.
   * @param version one that was made for another is made anew.
   * @returns whether it was made anew, so that it knows of no sandbox.
   * @throws `not-found` (image), `no-space`, `forbidden`.
   */
  ensure(spec: GatewaySpec, run?: Run): Promise<boolean>;

  /** As `SandboxHost.exec`, in the gateway. @throws `not-found`, `wrong-state` when it is not there or does not run. */
  exec(request: ExecRequest, signal?: AbortSignal): Promise<ExecSession>;

  /** Removes the gateway and its network when no sandbox is on it. Nothing happens when one is. */
  removeUnused(run?: Run): Promise<void>;
}

/** What a gateway is made of. */
export interface GatewaySpec {
  readonly image: string;
  readonly placement: Placement;
  readonly version: string;
}

/**
 * Addresses of sandboxes behind a gateway; the gateway has the first one. It is a part of what RFC 2544 keeps for measurements, which
 * nobody's network uses, and which no name may lead to.
 */
export const GATEWAY_NETWORK = { gateway: '198.18.0.1', prefix: 20, first: 2, last: 4094 } as const;

/** The address with that number, from 1 to 4094. */
export function gatewayAddress(number: number): string {
  return `198.18.${number >> 8}.${number & 0xff}`;
}

/** The MAC address that a sandbox has there: its address under the prefix of Incus' own. */
export function gatewayMac(address: string): string {
  const last = address.split('.').slice(1).map(Number);
  return [MAC_PREFIX, ...last.map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
}

/** The address of which {@link gatewayMac} makes this one; undefined when it is none of those. */
export function addressOfMac(mac: string): string | undefined {
  if (!mac.startsWith(`${MAC_PREFIX}:12:`)) return undefined;
  const last = mac.slice(MAC_PREFIX.length + 1).split(':');
  return ['198', ...last.map((byte) => String(parseInt(byte, 16)))].join('.');
}

const MAC_PREFIX = '10:66:6a';
