import { createHash } from 'node:crypto';
import type { IncusApi } from '../api';
import { serverSchema } from '../wire';

/** Incus' own key for what an instance's NICs and config were before it came behind the gateway, as JSON. A copy inherits it. */
export const BEFORE_KEY = 'user.pixels-gateway.before';

/** What a gateway was made for. */
export const VERSION_KEY = 'user.pixels-gateway.version';

const NETWORK_PREFIX = 'pxgw-';

/** The instance of a project's gateway. Projects may share a network, on which no two instances can have the same name. */
export function gatewayMachine(project = 'default'): string {
  return `pixels-gateway-${idOf(project)}`;
}

/**
 * The network of a project's gateway. It is a bridge, whose name is that of an interface of the host, with 15 characters at most; a host may
 * have more than one Incus.
 */
export async function gatewayNetwork(api: IncusApi): Promise<string> {
  const { environment } = await api.read('', serverSchema);
  return NETWORK_PREFIX + idOf(`${environment?.certificate_fingerprint ?? ''} ${api.project ?? 'default'}`);
}

function idOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** Whether a device is a NIC on the network of a gateway. */
export function isBehindGateway({ type, network }: Readonly<Record<string, string>>): boolean {
  return type === 'nic' && network?.startsWith(NETWORK_PREFIX) === true;
}
