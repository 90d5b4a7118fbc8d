import { labelProblem, nameOfInstance, type CheckpointLabel, type SandboxName } from '../../sandbox/name';

/**
 * Names of ZFS snapshots that are checkpoints: `px-LABEL`. Everything else on a dataset belongs to somebody else, such
 * as the `auto-…` of periodic snapshot tasks. Incus gives meaning to `snapshot-…`, `copy-…` and `deleted-…`, so none of
 * these can be.
 */
export const CHECKPOINT_PREFIX = 'px-';

/** The snapshot that keeps a checkpoint. */
export function snapshotOf(label: CheckpointLabel): string {
  return CHECKPOINT_PREFIX + label;
}

/** The checkpoint that a snapshot keeps, or undefined when it is not one of ours. */
export function labelOf(snapshot: string): CheckpointLabel | undefined {
  if (!snapshot.startsWith(CHECKPOINT_PREFIX)) return undefined;
  const label = snapshot.slice(CHECKPOINT_PREFIX.length);
  return labelProblem(label) === undefined ? (label as CheckpointLabel) : undefined;
}

/** A full snapshot name, taken apart. */
export function parseSnapshot(id: string): { readonly dataset: string; readonly snapshot: string } {
  const at = id.indexOf('@');
  return at === -1 ? { dataset: id, snapshot: '' } : { dataset: id.slice(0, at), snapshot: id.slice(at + 1) };
}

/** The sandbox that a dataset belongs to, whether of `virt.*` or of `container.*`. */
export function sandboxOfDataset(dataset: string): SandboxName | undefined {
  const [, directory, , instance = ''] = /^[^/]+\/([^/]+)\/(containers)\/([^/]+)$/.exec(dataset) ?? [];
  return directory === undefined ? undefined : nameOfInstance(instance);
}

/** What a person knows a dataset by: its sandbox, or else the last part of its name. */
export function ownerOf(dataset: string): string {
  return sandboxOfDataset(dataset) ?? dataset.slice(dataset.lastIndexOf('/') + 1);
}

/** How many of these snapshots are checkpoints, by their datasets. */
export function countByDataset(snapshots: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const id of snapshots) {
    const { dataset, snapshot } = parseSnapshot(id);
    if (labelOf(snapshot) !== undefined) counts.set(dataset, (counts.get(dataset) ?? 0) + 1);
  }
  return counts;
}
