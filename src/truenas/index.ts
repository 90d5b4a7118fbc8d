import type { SandboxHost } from '../sandbox/host';
import type { TrueNasHostOptions } from './common/options';
import { containerHost } from './container/host';
import { fittingDriver } from './drivers';
import type { Timing } from './limits';
import { connectTrueNas } from './session';
import type { TrueNasTarget } from './target';
import { truenasHost } from './virt/host';

export { probeServer, type ServerProbe } from './probe';
export { parseTrueNasHost, placeOf, type Endpoint, type TrueNasTarget } from './target';
export type { TrueNasHostOptions } from './common/options';
export type { Nic, NicOption } from './common/nic';

/**
 * The sandboxes of a TrueNAS. Connects when it is first asked for something, and then keeps its connection while it is needed.
 * @throws PixelsError `config` when the target cannot be used.
 */
export function connectTrueNasHost(
  target: TrueNasTarget,
  options: TrueNasHostOptions & { readonly timing?: Partial<Timing> },
): SandboxHost {
  const api = connectTrueNas(target, options);
  return fittingDriver(api, { virt: truenasHost(api, options), container: containerHost(api, options) });
}
