import { connectIncus } from '../../src/incus';
import type { SandboxHost } from '../../src/sandbox/host';
import { silentLog } from '../../src/sandbox/log';
import { connectTrueNasHost, type TrueNasTarget } from '../../src/truenas';

/** Where a test's server is, as plain data: another process can be told it too. */
export type Place =
  | { readonly kind: 'incus'; readonly socket: string; readonly project: string }
  | { readonly kind: 'truenas'; readonly target: TrueNasTarget };

/** A new connection to it. */
export function connectTo(place: Place): SandboxHost {
  if (place.kind === 'truenas') return connectTrueNasHost(place.target, { log: silentLog });
  const { socket, project } = place;
  return connectIncus({ kind: 'unix', socket, project }, { log: silentLog });
}
