import * as z from 'zod/mini';
import { PixelsError } from '../../sandbox/errors';
import { INSTANCE_PREFIX, instanceName, nameOfInstance, type SandboxName } from '../../sandbox/name';
import type { TrueNasApi } from '../api';
import type { CommonInstance, Instances } from '../common/instances';
import { parseSnapshot } from '../common/names';
import { explaining } from '../common/refusals';
import { statusOf } from './sandboxes';
import { containerSchema, snapshotsSchema, type Container } from './wire';

/** A container that is a sandbox. */
export interface Found {
  readonly name: SandboxName;
  readonly container: Container;
}

/** The containers of 26 for what is done on 25.x in the same way. */
export function instancesOf(api: TrueNasApi): Instances {
  const all = async (signal?: AbortSignal): Promise<CommonInstance[]> =>
    (await readContainers(api, signal)).map(({ container }) => common(container));
  return {
    rootDirectory: '.',
    all,
    read: async (name, signal) => common(await readContainer(api, name, signal)),
    /**
     * `initenv` and not `description`: a person reads that one, and edits it. `container.update` replaces either at any
     * time, a rollback of the dataset leaves both alone, and both are kept in the NAS's own database.
     */
    async replaceEnvironment(name, id, environment, signal) {
      const about = { sandbox: name };
      const params = [id, { initenv: environment }];
      await explaining(about, () => api.call('container.update', params, z.unknown(), { about, signal }));
    },
    async snapshots(pattern, signal) {
      const beginning = new RegExp(`^${pattern}`);
      const names = await snapshotsOf(api, await all(signal), signal);
      return names.filter((id) => beginning.test(parseSnapshot(id).snapshot));
    },
  };
}

/** All sandboxes, in the order of the server. */
export function readContainers(api: TrueNasApi, signal?: AbortSignal): Promise<Found[]> {
  return query(api, [['name', '^', INSTANCE_PREFIX]], signal);
}

/** @throws PixelsError `not-found`. */
export async function readContainer(api: TrueNasApi, name: SandboxName, signal?: AbortSignal): Promise<Container> {
  const container = await findContainer(api, name, signal);
  if (container === undefined) throw new PixelsError('not-found', `There is no sandbox named "${name}".`);
  return container;
}

export async function findContainer(
  api: TrueNasApi,
  name: SandboxName,
  signal?: AbortSignal,
): Promise<Container | undefined> {
  const [found] = await query(api, [['name', '=', instanceName(name)]], signal);
  return found?.container;
}

/** The sandbox that a container is, by its number. */
export async function findById(api: TrueNasApi, id: number): Promise<Found | undefined> {
  const [found] = await query(api, [['id', '=', id]]);
  return found;
}

/**
 * Full names of the snapshots of these, whosever they are, by one request. It names the directory of the datasets, since
 * queries without a path leave out what is internal to TrueNAS (MW:plugins/zfs/utils.py `INTERNAL_PATHS`).
 */
export async function snapshotsOf(
  api: TrueNasApi,
  containers: readonly Pick<Container, 'dataset'>[],
  signal?: AbortSignal,
): Promise<string[]> {
  const paths = [...new Set(containers.map(({ dataset }) => dataset.slice(0, dataset.lastIndexOf('/'))))];
  if (paths.length === 0) return [];
  const body = { paths, recursive: true, properties: null };
  const datasets = new Set(containers.map(({ dataset }) => dataset));
  const all = await api.call('zfs.resource.snapshot.query', [body], snapshotsSchema, { signal });
  return all.map(({ name }) => name).filter((id) => datasets.has(parseSnapshot(id).dataset));
}

async function query(api: TrueNasApi, filters: readonly unknown[], signal?: AbortSignal): Promise<Found[]> {
  const all = await api.call('container.query', [filters], z.array(containerSchema), { signal });
  return all.flatMap((container) => {
    const name = nameOfInstance(container.name);
    return name === undefined ? [] : [{ name, container }];
  });
}

function common(container: Container): CommonInstance {
  const { id, name, dataset, initenv: environment } = container;
  return { id, name, dataset, environment, status: statusOf(container) };
}
