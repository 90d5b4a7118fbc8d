import * as z from 'zod/mini';
import { isKind, PixelsError } from '../../sandbox/errors';
import { INSTANCE_PREFIX, instanceName, nameOfInstance, type SandboxName } from '../../sandbox/name';
import type { TrueNasApi } from '../api';
import type { CommonInstance, Instances } from '../common/instances';
import { pause } from '../common/pause';
import { explaining } from '../common/refusals';
import { matchingSnapshots } from '../common/snapshots';
import { readyConfig } from './ready';
import { statusOf } from './sandboxes';
import { instanceSchema, type Instance } from './wire';

/** A container that is a sandbox. */
export interface Found {
  readonly name: SandboxName;
  readonly instance: Instance;
}

/**
 * While an instance stops, Incus has no state of it for a moment; and while one is being deleted, the whole query may
 * fail, because it is gone when it is asked for its config (MW:plugins/virt/instance.py, `query`).
 */
const MOMENT_MS = 200;
const MOST_MOMENTS = 6;

/** A change of the settings is quick, and who waits for it can often not be cancelled. */
const UPDATE_LIMIT_MS = 60_000;

/** The instances of 25.x for what is done on 26 in the same way. */
export function instancesOf(api: TrueNasApi): Instances {
  return {
    rootDirectory: 'rootfs',
    all: async (signal) => (await readInstances(api, signal)).map(({ instance }) => common(instance)),
    read: async (name, signal) => common(await readInstance(api, name, signal)),
    async replaceEnvironment(name, id, environment, signal) {
      const about = { sandbox: name };
      const params = [id, { environment }];
      const call = { about, signal, limitMs: UPDATE_LIMIT_MS };
      await explaining(about, () => api.job('virt.instance.update', params, z.unknown(), call));
    },
    snapshots: (pattern, signal) =>
      matchingSnapshots(api, `[^/]+/[.]ix-virt/containers/px-[^@/]+@${pattern}`, { signal }),
  };
}

function common(instance: Instance): CommonInstance {
  const { name, environment } = instance;
  return { id: name, name, environment, status: statusOf(instance), dataset: datasetOf(instance) };
}

/** Next to `backup.yaml`, the root filesystem is the directory `rootfs` in there. */
export function datasetOf({ storage_pool: pool, name }: Pick<Instance, 'storage_pool' | 'name'>): string {
  return `${pool}/.ix-virt/containers/${name}`;
}

/**
 * All sandboxes, in the order of the server. `raw` has the real time of creation and the addresses by interface.
 * @throws PixelsError when the NAS is not ready for containers ({@link readyConfig}), which it does not say by itself.
 */
export async function readInstances(api: TrueNasApi, signal?: AbortSignal): Promise<Found[]> {
  const found = await query(api, [['name', '^', INSTANCE_PREFIX]], signal);
  if (found.length === 0) await readyConfig(api, signal);
  return found;
}

/** @throws PixelsError `not-found`. */
export async function readInstance(api: TrueNasApi, name: SandboxName, signal?: AbortSignal): Promise<Instance> {
  const found = await findInstance(api, name, signal);
  if (found !== undefined) return found;
  await readyConfig(api, signal);
  throw new PixelsError('not-found', `There is no sandbox named "${name}".`);
}

/** Undefined when there is no such sandbox (or the NAS is not ready). */
export async function findInstance(
  api: TrueNasApi,
  name: SandboxName,
  signal?: AbortSignal,
): Promise<Instance | undefined> {
  const [found] = await query(api, [['name', '=', instanceName(name)]], signal);
  return found?.instance;
}

async function query(api: TrueNasApi, filters: readonly unknown[], signal?: AbortSignal): Promise<Found[]> {
  for (let moment = 1; ; moment++) {
    const isLast = moment === MOST_MOMENTS;
    try {
      const found = await queryOnce(api, filters, signal);
      if (isLast || found.every(({ instance }) => instance.status !== 'UNKNOWN')) return found;
    } catch (error) {
      if (isLast || !isKind(error, 'failed', 'invalid')) throw error;
    }
    await pause(MOMENT_MS, signal);
  }
}

async function queryOnce(api: TrueNasApi, filters: readonly unknown[], signal?: AbortSignal): Promise<Found[]> {
  const params = [filters, { extra: { raw: true } }];
  const all = await api.call('virt.instance.query', params, z.array(instanceSchema), { signal });
  return all.flatMap((instance) => {
    const name = instance.type === 'CONTAINER' ? nameOfInstance(instance.name) : undefined;
    return name === undefined ? [] : [{ name, instance }];
  });
}
