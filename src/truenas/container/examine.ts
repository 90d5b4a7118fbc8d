import { ok, type Check, type Wanted } from '../../sandbox/check';
import type { TrueNasApi } from '../api';
import { examine as examineNas } from '../common/examine';
import { placeFor, type CreateOptions } from './create';
import { features } from './features';
import { keyOf } from './images';
import { nicDevices } from './nic';

/** See `SandboxHost.examine`. */
export function examine(
  api: TrueNasApi,
  { nic, pool: preferred, registry, log }: CreateOptions,
  { image, pool, network }: Wanted,
  signal?: AbortSignal,
): Promise<readonly Check[]> {
  const place = (until: AbortSignal) => placeFor(api, pool ?? preferred, until);
  const looks = {
    needsSudo: false,
    features: () => Promise.resolve(features()),
    pool: async (until: AbortSignal) => (await place(until)).pool,
    network: async (until: AbortSignal) => {
      const { bridge } = await place(until);
      const [device] = await nicDevices(api, { network, nic, bridge, log }, until);
      return device === undefined ? (bridge ?? undefined) : String(device['nic_attach']);
    },
    image: async (until: AbortSignal) =>
      ok(`"${image}" is in the registry of TrueNAS: ${keyOf(await registry.find(image, until))}.`),
  };
  return examineNas(api, looks, signal);
}
