import { rangeOf } from '../address';
import { PixelsError } from '../../sandbox/errors';

/** Where things are in the gateway. */
export const SCRIPT = '/usr/local/lib/pixels/gateway.sh';
export const BASE_FILE = '/usr/local/lib/pixels/gateway.nft';
export const RUN = '/run/pixels-gateway';
export const POLICIES = '/var/lib/pixels/gateway';
export const HOSTS = '/var/lib/pixels/gateway-hosts';

/** The resolvers' user; gateway.sh makes it. */
export const RESOLVER_USER = 'pixels-resolver';

/** The gateway's NIC on the network of restricted sandboxes. */
export const INNER = 'inner';

/** The table that is not one sandbox's: who may send anything at all. */
export const BASE_TABLE = 'gateway';

/** The first port of the resolvers; that of a sandbox is this and the number in its address. */
export const FIRST_PORT = 10_000;

/**
 * The port at which the gateway's resolver for a sandbox listens.
 * @param address the sandbox's, in the network of `sandbox/gateway.ts`.
 */
export function resolverPort(address: string): number {
  const [, , third = 0, fourth = 0] = address.split('.').map(Number);
  if (rangeOf(address) === undefined) throw new PixelsError('protocol', `"${address}" is no address of a sandbox.`);
  return FIRST_PORT + third * 256 + fourth;
}
