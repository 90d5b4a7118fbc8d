import { nameOfInstance, type SandboxName } from '../../sandbox/name';
import type { LinkedClone } from '../../sandbox/sandbox';
import type { TrueNasApi } from '../api';
import { readMeta } from '../meta';
import type { Instances } from './instances';
import { labelOf, parseSnapshot } from './names';
import { snapshotNames } from './snapshots';

/** A {@link LinkedClone} with the snapshot that it depends on, as the part after the `@`. */
export interface FoundClone extends LinkedClone {
  readonly snapshot: string;
}

/**
 * See `SandboxHost.linkedClones`. What Pixels has made is noted with it; 25.x has no call that tells of others, which would be
 * clones of these datasets.
 */
export async function linkedClones(
  api: TrueNasApi,
  instances: Instances,
  name: SandboxName,
  signal?: AbortSignal,
): Promise<FoundClone[]> {
  const all = await instances.all(signal);
  const dataset = all.find((instance) => nameOfInstance(instance.name) === name)?.dataset;
  if (dataset === undefined) return [];
  const noted = all.flatMap((instance) => {
    const origin = parseSnapshot(readMeta(instance.environment).linkedTo ?? '');
    const clone = nameOfInstance(instance.name);
    if (clone === undefined || origin.dataset !== dataset) return [];
    return [{ name: clone, label: labelOf(origin.snapshot), snapshot: origin.snapshot }];
  });
  if (noted.length === 0) return [];
  // One that somebody has promoted depends on nothing any more: its origin went over to it.
  const there = await snapshotNames(api, dataset, { about: { sandbox: name }, signal });
  return noted.filter(({ snapshot }) => there.includes(snapshot)).sort((a, b) => (a.name < b.name ? -1 : 1));
}
