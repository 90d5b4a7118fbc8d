import * as z from 'zod/mini';
import { cancelled, PixelsError } from '../../sandbox/errors';
import type { Run } from '../../sandbox/host';
import type { Log } from '../../sandbox/log';
import { instanceName, type SandboxName } from '../../sandbox/name';
import type { Limits, SandboxSpec } from '../../sandbox/sandbox';
import type { TrueNasApi } from '../api';
import type { NicOption } from '../common/nic';
import { explaining } from '../common/refusals';
import { withMeta, type Meta } from '../meta';
import type { ImageList } from './images';
import { nicDevices } from './nic';
import { readyConfig } from './ready';
import type { GlobalConfig } from './wire';

/** What an instance is made of, as `virt.instance.create` takes it. */
export interface InstanceRequest {
  readonly name: SandboxName;
  readonly image: string;
  readonly pool: string | undefined;
  /** A count of CPUs, or a set of them. */
  readonly cpu: string | null;
  readonly memoryBytes: number | null;
  readonly environment: Readonly<Record<string, string>>;
  readonly meta: Meta;
  readonly devices: readonly object[];
}

export interface CreateOptions {
  readonly nic: NicOption;
  readonly pool: string | undefined;
  readonly images: ImageList;
  readonly log: Log;
}

/** TrueNAS itself gives an image's download and unpacking 15 minutes. */
const CREATE_LIMIT_MS = 16 * 60_000;

/** Before an image's name, for "not the server's own ones". TrueNAS asks that server anyway, and has no other. */
export const REMOTE_PREFIX = 'images:';

/** See `SandboxHost.create`. Not to be cancelled half-way: see cancel.ts. */
export async function create(
  api: TrueNasApi,
  { name, image, limits, placement, state }: SandboxSpec,
  { nic, pool, images, log }: CreateOptions,
  { onProgress, signal }: Run = {},
): Promise<void> {
  const config = await readyConfig(api, signal);
  const chosenPool = knownPool(config, placement.pool ?? pool);
  const devices = await nicDevices(api, config, { network: placement.network, nic, log }, signal);
  const alias = image.startsWith(REMOTE_PREFIX) ? image.slice(REMOTE_PREFIX.length) : image;
  const meta: Meta = { state, createdAt: new Date(), image: alias, writes: [], unknown: {} };
  if (signal?.aborted === true) throw cancelled();
  try {
    const request = { name, image: alias, pool: chosenPool, environment: {}, meta, devices };
    await createInstance(api, { ...request, ...limitsOf(limits) }, { onProgress });
  } catch (error) {
    throw await images.explain(image, error);
  }
}

/** Makes a stopped instance. `autostart` would start it at once, and again whenever the NAS starts. */
export async function createInstance(api: TrueNasApi, request: InstanceRequest, run: Run): Promise<void> {
  const { name, image, pool, cpu, memoryBytes, environment, meta, devices } = request;
  const body = {
    name: instanceName(name),
    source_type: 'IMAGE',
    instance_type: 'CONTAINER',
    image,
    ...(pool === undefined ? {} : { storage_pool: pool }),
    autostart: false,
    cpu,
    memory: memoryBytes,
    environment: withMeta(environment, meta),
    devices,
  };
  const about = { sandbox: name, image };
  await explaining(about, () =>
    api.job('virt.instance.create', [body], z.unknown(), { ...run, about, limitMs: CREATE_LIMIT_MS }),
  );
}

/** No limit is null: an empty `cpu` and 0 bytes are refused. */
export function limitsOf({ cpu, memoryMiB }: Limits): Pick<InstanceRequest, 'cpu' | 'memoryBytes'> {
  return {
    cpu: cpu === undefined ? null : String(cpu),
    memoryBytes: memoryMiB === undefined ? null : memoryMiB * 2 ** 20,
  };
}

/** The pool by its name, or undefined for the server's own choice. @throws PixelsError `not-found`. */
export function knownPool(
  { pool, storage_pools: pools }: GlobalConfig,
  wanted: string | undefined,
): string | undefined {
  const known = [...new Set([...(pool ? [pool] : []), ...(pools ?? [])])];
  if (wanted === undefined || known.includes(wanted)) return wanted;
  throw new PixelsError('not-found', `TrueNAS keeps no containers on a pool "${wanted}".`, {
    hint: `It keeps them on: ${known.join(', ')}.`,
  });
}
