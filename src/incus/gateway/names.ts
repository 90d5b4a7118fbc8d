import { createHash } from 'node:crypto';

/** Incus' own key for what an instance's NICs and config were before it came behind the gateway, as JSON. A copy inherits it. */
export const BEFORE_KEY = 'user.pixels-gateway.before';

/** What a gateway was made for. */
export const VERSION_KEY = 'user.pixels-gateway.version';

const NETWORK_PREFIX = 'pxgw-';

/**
 * The network and the instance of a project's gateway. Projects may share their networks, and on one network no two instances
 * of the same name can be; the name of a bridge is that of an interface, which has 15 characters at most.
 */
export function gatewayNames(project = 'default'): { readonly network: string; readonly machine: string } {
  const id = createHash('sha256').update(project).digest('hex').slice(0, 8);
  return { network: `${NETWORK_PREFIX}${id}`, machine: `pixels-gateway-${id}` };
}

/** Whether a device is a NIC on the network of a gateway. */
export function isBehindGateway({ type, network }: Readonly<Record<string, string>>): boolean {
  return type === 'nic' && network?.startsWith(NETWORK_PREFIX) === true;
}
