import { ok, warning, type Check, type Finding, type Wanted } from '../../sandbox/check';
import type { TrueNasApi } from '../api';
import { examine as examineNas } from '../common/examine';
import { knownPool, REMOTE_PREFIX, type CreateOptions } from './create';
import { features } from './features';
import type { ImageList } from './images';
import { nicFor } from './nic';
import { readyConfig } from './ready';

/** See `SandboxHost.examine`. */
export function examine(
  api: TrueNasApi,
  { nic, pool: preferred, images, log }: CreateOptions,
  { image, pool, network }: Wanted,
  signal?: AbortSignal,
): Promise<readonly Check[]> {
  const looks = {
    needsSudo: true,
    features: async (until: AbortSignal) => features(await api.snapshotMethods(until)),
    pool: async (until: AbortSignal) => {
      const config = await readyConfig(api, until);
      return knownPool(config, pool ?? preferred) ?? config.pool ?? undefined;
    },
    network: async (until: AbortSignal) => {
      const config = await readyConfig(api, until);
      return (await nicFor(api, config, { network, nic, log }, until))?.parent ?? config.bridge ?? undefined;
    },
    image: (until: AbortSignal) => imageFinding(images, image, until),
  };
  return examineNas(api, looks, signal);
}

/** The list has one name of each image; the image server knows more. */
async function imageFinding(images: ImageList, image: string, signal: AbortSignal): Promise<Finding> {
  const listed = await images.load(signal);
  if (listed.length === 0) {
    const advice = 'See whether TrueNAS has a name server and a way to the internet.';
    return warning('TrueNAS cannot reach images.linuxcontainers.org, where its images come from.', advice);
  }
  const alias = image.startsWith(REMOTE_PREFIX) ? image.slice(REMOTE_PREFIX.length) : image;
  const isListed = listed.some((each) => each.alias === alias);
  return ok(`"${alias}" ${isListed ? 'is' : 'is looked for, when it is needed,'} on images.linuxcontainers.org.`);
}
