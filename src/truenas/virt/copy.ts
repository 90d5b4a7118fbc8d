import { randomBytes } from 'node:crypto';
import * as z from 'zod/mini';
import { isKind, PixelsError } from '../../sandbox/errors';
import type { Run } from '../../sandbox/host';
import type { CopySpec } from '../../sandbox/sandbox';
import type { TrueNasApi } from '../api';
import { requireCheckpoint } from '../common/checkpoints';
import { refuseAborted } from '../common/cancel';
import { completeCopy, refuseUnfinished, type CopyOptions, type CopyTools } from '../common/completeCopy';
import { temporarySnapshot } from '../common/copyCommand';
import { snapshotOf } from '../common/names';
import { undoCopy } from '../common/undoCopy';
import { META_KEY, readMeta, type Meta } from '../meta';
import { createInstance, limitsOf, type InstanceRequest } from './create';
import { datasetOf, findInstance, readInstance } from './instances';
import { destroy } from './power';
import { deviceSchema, type Device, type Instance } from './wire';

/**
 * See `SandboxHost.copy`. First an instance of its own, of the same image and never started: that gives it a MAC
 * address and an entry in Incus' database. Then its files are replaced by the source's (completeCopy.ts). What is to be
 * copied is noted in the instance: when this process dies, the next start completes it. Incus corrects `backup.yaml`,
 * which is copied too, at the first start; without one, a TrueNAS update would not find the sandbox again.
 */
export async function copy(
  tools: CopyTools,
  { name, source, limits, state }: CopySpec,
  options: CopyOptions,
  { signal, onProgress }: Run = {},
): Promise<void> {
  const { api } = tools;
  const original = await readInstance(api, source.name, signal);
  refuseUnfinished(source.name, original);
  const dataset = datasetOf(original);
  if (source.label !== undefined) await requireCheckpoint(api, source.name, dataset, source.label, signal);
  if ((await findInstance(api, name, signal)) !== undefined) {
    throw new PixelsError('exists', `There is already a sandbox named "${name}".`, { hint: 'Choose another name.' });
  }
  const devices = await inheritedDevices(api, original, signal);
  const snapshot =
    source.label === undefined ? temporarySnapshot(randomBytes(4).toString('hex')) : snapshotOf(source.label);
  const { [META_KEY]: own, ...environment } = original.environment;
  const { image } = readMeta(own === undefined ? {} : { [META_KEY]: own });
  const copyOf = `${dataset}@${snapshot}`;
  const meta: Meta = { state, createdAt: new Date(), image, copyOf, writes: [], unknown: {} };
  const given = limitsOf(limits);
  const request = {
    name,
    pool: original.storage_pool,
    cpu: given.cpu ?? original.cpu ?? null,
    memoryBytes: given.memoryBytes ?? original.memory ?? null,
    environment,
    meta,
    devices,
  };
  refuseAborted(signal);
  await createLike(api, request, imagesOf(original, image), { onProgress });
  try {
    refuseAborted(signal);
    await completeCopy(tools, name, options, { onProgress });
  } catch (error) {
    await undoCopy(api, name, { copyOf, destroy: () => destroy({ api, log: options.log }, name), log: options.log });
    throw error;
  }
}

/** What the image of a source may be called on the image server, the likeliest first. */
export function imagesOf({ image: { os, release, variant } }: Pick<Instance, 'image'>, alias?: string): string[] {
  const parts = [os, release].map((part) => part?.toLowerCase());
  const described = parts.every(Boolean) ? [[...parts, variant ?? 'default'].join('/'), parts.join('/')] : [];
  return [...new Set([...(alias === undefined ? [] : [alias]), ...described])];
}

/** Images go from the image server in time; then the first one that is still there will do. */
async function createLike(
  api: TrueNasApi,
  request: Omit<InstanceRequest, 'image'>,
  images: readonly string[],
  run: Run,
): Promise<void> {
  let failure: unknown = new PixelsError('not-found', 'Nobody knows of which image the source was made.');
  for (const image of images) {
    try {
      await createInstance(api, { ...request, image }, run);
      return;
    } catch (error) {
      if (!isKind(error, 'not-found')) throw error;
      failure = error;
    }
  }
  throw failure;
}

/**
 * The source's own NICs and shared directories, without the NICs' addresses. Not what only one instance at a time can
 * have: ports of the NAS, USB, GPU and PCI devices.
 */
async function inheritedDevices(api: TrueNasApi, { name }: Instance, signal?: AbortSignal): Promise<object[]> {
  const devices = await api.call('virt.instance.device_list', [name], z.array(deviceSchema), { signal });
  return devices.filter(({ readonly: ofProfile }) => ofProfile !== true).flatMap(inherited);
}

function inherited({ name, dev_type: kind, nic_type, parent, source, destination }: Device): object[] {
  if (kind === 'NIC' && nic_type && parent) return [{ name, dev_type: kind, nic_type: nic_type.toUpperCase(), parent }];
  const isShared = kind === 'DISK' && source?.startsWith('/mnt/') && destination && destination !== '/';
  return isShared ? [{ name, dev_type: kind, source, destination }] : [];
}
