import * as z from 'zod/mini';
import { cancelled, PixelsError } from '../../sandbox/errors';
import type { Run } from '../../sandbox/host';
import type { Log } from '../../sandbox/log';
import { instanceName, type SandboxName } from '../../sandbox/name';
import type { SandboxSpec } from '../../sandbox/sandbox';
import type { TrueNasApi } from '../api';
import type { NicOption } from '../common/nic';
import { explaining } from '../common/refusals';
import { readMeta, withMeta, type Meta } from '../meta';
import { findContainer, readContainer } from './containers';
import { keyOf, type Registry, type RegistryImage } from './images';
import { cpusetOf } from './limits';
import { nicDevices, type Attributes } from './nic';
import { createdSchema, lxcConfigSchema, poolChoicesSchema } from './wire';

/** What a container is made of. */
export interface ContainerRequest {
  readonly name: SandboxName;
  readonly image: RegistryImage;
  readonly pool: string;
  readonly cpuset: string | null;
  readonly environment: Readonly<Record<string, string>>;
  readonly meta: Meta;
  readonly devices: readonly Attributes[];
}

export interface CreateOptions {
  readonly nic: NicOption;
  readonly pool: string | undefined;
  readonly registry: Registry;
  readonly log: Log;
}

type Environment = Readonly<Record<string, string>>;

const CREATE_LIMIT_MS = 16 * 60_000;

/** See `SandboxHost.create`. Not to be cancelled half-way: see ../common/cancel.ts. */
export async function create(
  api: TrueNasApi,
  { name, image: typed, limits, placement, state }: SandboxSpec,
  { nic, pool: preferred, registry, log }: CreateOptions,
  { onProgress, signal }: Run = {},
): Promise<void> {
  const cpuset = cpusetOf(limits);
  const { pool, bridge } = await placeFor(api, placement.pool ?? preferred, signal);
  const devices = await nicDevices(api, { network: placement.network, nic, bridge, log }, signal);
  await refuseTaken(api, name, signal);
  const image = await registry.find(typed, signal);
  const meta: Meta = { state, createdAt: new Date(), image: keyOf(image), writes: [], unknown: {} };
  if (signal?.aborted === true) throw cancelled();
  await createContainer(api, { name, image, pool, cpuset, environment: {}, meta, devices }, log, { onProgress });
}

/**
 * Makes a stopped container, which `container.create` leaves it; `autostart` is for the start of the NAS. With ISOLATED
 * its root is nobody on the NAS and in other containers; that cannot be changed later. Devices are added apart; when one
 * cannot be, the container goes again, since it would be connected to another network than the one asked for.
 */
export async function createContainer(
  api: TrueNasApi,
  { name, image, pool, cpuset, environment, meta, devices }: ContainerRequest,
  log: Log,
  run: Run,
): Promise<void> {
  const body = {
    name: instanceName(name),
    image: { name: image.name, version: image.version },
    pool,
    cpuset,
    autostart: false,
    initenv: withMeta(environment, devices.length === 0 ? meta : { ...meta, devices }),
    idmap: { type: 'ISOLATED', slice: null },
  };
  const about = { sandbox: name };
  await explaining(about, async () => {
    const { id } = await api.job('container.create', [body], createdSchema, {
      ...run,
      about,
      limitMs: CREATE_LIMIT_MS,
    });
    try {
      await addDevices(api, name, id, devices);
    } catch (error) {
      await deleteContainer(api, id, { about }).catch((reason: unknown) =>
        log.warn(`${name} is left: ${String(reason)}`),
      );
      throw error;
    }
  });
}

/** Adds those devices that a container was to have when its maker died, or lost the connection, before it had them all. */
export async function completeDevices(api: TrueNasApi, name: SandboxName, environment: Environment): Promise<void> {
  const { state, devices = [] } = readMeta(environment);
  if (state.mark === undefined || devices.length === 0) return;
  const { id, devices: present } = await readContainer(api, name);
  const about = { sandbox: name };
  try {
    await explaining(about, () => addDevices(api, name, id, devices.slice(present.length)));
  } catch (error) {
    // The NAS may just have done what the dead one had asked it for.
    if ((await readContainer(api, name)).devices.length < devices.length) throw error;
  }
}

async function addDevices(
  api: TrueNasApi,
  name: SandboxName,
  id: number,
  devices: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  for (const attributes of devices) {
    const params = [{ container: id, attributes }];
    await api.call('container.device.create', params, z.unknown(), { about: { sandbox: name } });
  }
}

/**
 * Deletes a stopped container. With `recursive` its snapshots go too, and their clones and holds, wherever they are.
 * Up to 26.0.0-BETA.3 there were no options; it says so before it does anything.
 */
export async function deleteContainer(
  api: TrueNasApi,
  id: number,
  { isRecursive = false, ...call }: Run & { readonly isRecursive?: boolean; readonly about: { sandbox: string } },
): Promise<void> {
  try {
    await api.job('container.delete', [id, { force: false, recursive: isRecursive }], z.unknown(), call);
  } catch (error) {
    if (!(error instanceof PixelsError) || !/too many arguments/i.test(String(error.cause))) throw error;
    await api.job('container.delete', [id], z.unknown(), call);
  }
}

/** @throws PixelsError `exists`. */
export async function refuseTaken(api: TrueNasApi, name: SandboxName, signal?: AbortSignal): Promise<void> {
  if ((await findContainer(api, name, signal)) === undefined) return;
  throw new PixelsError('exists', `There is already a sandbox named "${name}".`, { hint: 'Choose another name.' });
}

/** The pool for a new container, and the bridge that the NAS has for containers. @throws `not-found`, `config`. */
export async function placeFor(
  api: TrueNasApi,
  wanted: string | undefined,
  signal?: AbortSignal,
): Promise<{ pool: string; bridge: string | null | undefined }> {
  const [config, choices] = await Promise.all([
    api.call('lxc.config', [], lxcConfigSchema, { signal }),
    api.call('container.pool_choices', [], poolChoicesSchema, { signal }),
  ]);
  const known = Object.keys(choices);
  const pool = wanted ?? config.preferred_pool ?? (known.length === 1 ? known[0] : undefined);
  if (pool === undefined) {
    throw new PixelsError('config', 'This TrueNAS has no pool for containers yet.', {
      hint: 'Choose one in its web interface, on the page Containers.',
    });
  }
  if (known.includes(pool)) return { pool, bridge: config.bridge };
  throw new PixelsError('not-found', `TrueNAS keeps no containers on a pool "${pool}".`, {
    hint: `It can keep them on: ${known.join(', ')}.`,
  });
}
