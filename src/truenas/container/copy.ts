import { randomBytes } from 'node:crypto';
import type { Run } from '../../sandbox/host';
import type { CopySpec } from '../../sandbox/sandbox';
import { requireCheckpoint } from '../common/checkpoints';
import { refuseAborted } from '../common/cancel';
import { completeCopy, refuseUnfinished, type CopyOptions, type CopyTools } from '../common/completeCopy';
import { temporarySnapshot } from '../common/copyCommand';
import { snapshotOf } from '../common/names';
import { undoCopy } from '../common/undoCopy';
import { META_KEY, readMeta, type Meta } from '../meta';
import { readContainer } from './containers';
import { createContainer, refuseTaken } from './create';
import type { Registry } from './images';
import { cpusetOf } from './limits';
import { inherited } from './nic';
import { destroy } from './power';

/**
 * See `SandboxHost.copy`. As on 25.x: first a container of its own, then its files are replaced by the source's
 * (../common/completeCopy.ts). That is done by commands of ZFS as root, which may touch what is out of the API's reach.
 */
export async function copy(
  tools: CopyTools & { readonly registry: Registry },
  { name, source, limits, state }: CopySpec,
  options: CopyOptions,
  { signal, onProgress }: Run = {},
): Promise<void> {
  const { api, registry } = tools;
  const original = await readContainer(api, source.name, signal);
  refuseUnfinished(source.name, { environment: original.initenv });
  const cpuset = cpusetOf(limits) ?? original.cpuset ?? null;
  const { dataset } = original;
  if (source.label !== undefined) await requireCheckpoint(api, source.name, dataset, source.label, signal);
  await refuseTaken(api, name, signal);
  const snapshot =
    source.label === undefined ? temporarySnapshot(randomBytes(4).toString('hex')) : snapshotOf(source.label);
  const { [META_KEY]: own, ...environment } = original.initenv;
  const { image } = readMeta(own === undefined ? {} : { [META_KEY]: own });
  const copyOf = `${dataset}@${snapshot}`;
  const meta: Meta = { state, createdAt: new Date(), image, copyOf, writes: [], unknown: {} };
  const [pool = ''] = dataset.split('/');
  const devices = original.devices.flatMap(inherited);
  const request = { name, pool, cpuset, environment, meta, devices, image: await registry.any(image, signal) };
  refuseAborted(signal);
  await createContainer(api, request, options.log, { onProgress });
  try {
    refuseAborted(signal);
    await completeCopy(tools, name, options, { onProgress });
  } catch (error) {
    await undoCopy(api, name, { copyOf, destroy: () => destroy({ api, log: options.log }, name), log: options.log });
    throw error;
  }
}
