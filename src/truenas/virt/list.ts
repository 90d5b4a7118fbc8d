import { instanceName, type SandboxName } from '../../sandbox/name';
import type { Sandbox } from '../../sandbox/sandbox';
import type { TrueNasApi } from '../api';
import { CHECKPOINT_PREFIX, countByDataset } from '../common/names';
import { matchingSnapshots } from '../common/snapshots';
import { datasetOf, instancesOf, readInstance, readInstances } from './instances';
import { sandboxOf } from './sandboxes';

/** See `SandboxHost.list`. Two requests: the instances, and the names of all checkpoints. */
export async function list(api: TrueNasApi, signal?: AbortSignal): Promise<Sandbox[]> {
  const [found, checkpoints] = await Promise.all([
    readInstances(api, signal),
    instancesOf(api).snapshots(CHECKPOINT_PREFIX, signal),
  ]);
  const counts = countByDataset(checkpoints);
  return found
    .map(({ name, instance }) => {
      const count = counts.get(datasetOf(instance)) ?? 0;
      return sandboxOf(name, instance, count);
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** See `SandboxHost.get`. The same two requests, about one. */
export async function get(api: TrueNasApi, name: SandboxName, signal?: AbortSignal): Promise<Sandbox> {
  const [instance, checkpoints] = await Promise.all([
    readInstance(api, name, signal),
    matchingSnapshots(api, `[^/]+/[.]ix-virt/containers/${instanceName(name)}@${CHECKPOINT_PREFIX}`, { signal }),
  ]);
  return sandboxOf(name, instance, countByDataset(checkpoints).get(datasetOf(instance)) ?? 0);
}
