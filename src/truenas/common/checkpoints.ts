import { isKind, PixelsError } from '../../sandbox/errors';
import type { Run } from '../../sandbox/host';
import { readMark, type Mark } from '../../sandbox/mark';
import type { CheckpointLabel, SandboxName } from '../../sandbox/name';
import type { Checkpoint, LostSnapshot } from '../../sandbox/sandbox';
import type { TrueNasApi } from '../api';
import { readMeta } from '../meta';
import { refuseUnfinished } from './completeCopy';
import type { Instances } from './instances';
import { labelOf, snapshotOf } from './names';
import { linkedClones } from './linkedClones';
import { explaining } from './refusals';
import { describeSnapshots, removeSnapshot, rollBackTo, snapshotNames, takeSnapshot, type Snapshot } from './snapshots';

/** See `SandboxHost.checkpoints`. */
export async function checkpoints(
  api: TrueNasApi,
  instances: Instances,
  name: SandboxName,
  signal?: AbortSignal,
): Promise<Checkpoint[]> {
  const snapshots = await allSnapshots(api, instances, name, (snapshot) => labelOf(snapshot) !== undefined, signal);
  return snapshots.flatMap(({ name: snapshot, createdAt, sizeBytes }) => {
    const label = labelOf(snapshot);
    return label === undefined ? [] : [{ label, createdAt, sizeBytes }];
  });
}

/** See `SandboxHost.labels`. */
export async function labels(
  api: TrueNasApi,
  instances: Instances,
  name: SandboxName,
  signal?: AbortSignal,
): Promise<CheckpointLabel[]> {
  const { dataset } = await instances.read(name, signal);
  const names = await snapshotNames(api, dataset, { about: { sandbox: name }, signal });
  return names.map(labelOf).filter((label) => label !== undefined);
}

/** See `SandboxHost.createCheckpoint`. */
export async function createCheckpoint(
  api: TrueNasApi,
  instances: Instances,
  name: SandboxName,
  label: CheckpointLabel,
  { signal }: Run = {},
  check?: (mark: Mark | undefined) => void,
): Promise<void> {
  const instance = await instances.read(name, signal);
  check?.(readMark(readMeta(instance.environment).state));
  refuseUnfinished(name, instance);
  const { dataset } = instance;
  const about = { sandbox: name, checkpoint: label };
  await explaining(about, () => takeSnapshot(api, dataset, snapshotOf(label), { about, signal }));
}

/** See `SandboxHost.deleteCheckpoint`. @throws also `wrong-state`, when a linked clone depends on it. */
export async function deleteCheckpoint(
  api: TrueNasApi,
  instances: Instances,
  name: SandboxName,
  label: CheckpointLabel,
  { signal }: Run = {},
): Promise<void> {
  const { dataset } = await instances.read(name, signal);
  const about = { sandbox: name, checkpoint: label };
  try {
    await explaining(about, () => removeSnapshot(api, dataset, snapshotOf(label), { about, signal }));
  } catch (error) {
    throw isKind(error, 'not-found') ? noCheckpoint(name, label, error) : error;
  }
}

/** See `SandboxHost.rollback`. Newer snapshots are destroyed: {@link lostByRollback} says before which these are. */
export async function rollback(
  api: TrueNasApi,
  instances: Instances,
  name: SandboxName,
  label: CheckpointLabel,
  { signal }: Run = {},
): Promise<void> {
  const instance = await instances.read(name, signal);
  if (instance.status !== 'stopped') {
    throw new PixelsError('wrong-state', `${name} must be stopped to go back to ${label}.`, { hint: 'Stop it first.' });
  }
  refuseUnfinished(name, instance);
  const { dataset } = instance;
  await requireCheckpoint(api, name, dataset, label, signal);
  const about = { sandbox: name, checkpoint: label };
  await explaining(about, () => rollBackTo(api, dataset, snapshotOf(label), { about, signal }));
}

/** See `SandboxHost.lostByRollback`. @throws `wrong-state` when a linked clone depends on what would be lost. */
export async function lostByRollback(
  api: TrueNasApi,
  instances: Instances,
  name: SandboxName,
  label: CheckpointLabel,
  signal?: AbortSignal,
): Promise<LostSnapshot[]> {
  const snapshots = await allSnapshots(api, instances, name, () => true, signal);
  const position = snapshots.findIndex((snapshot) => snapshot.name === snapshotOf(label));
  if (position === -1) throw noCheckpoint(name, label);
  const lost = snapshots
    .slice(position + 1)
    .map((snapshot) => ({ snapshot: snapshot.name, label: labelOf(snapshot.name), createdAt: snapshot.createdAt }));
  const clones = lost.length === 0 ? [] : await linkedClones(api, instances, name, signal);
  const needed = clones.filter((clone) => lost.some(({ snapshot }) => snapshot === clone.snapshot));
  if (needed.length > 0) throw cannotGoBack(name, label, needed.map((clone) => clone.name).join(', '));
  return lost;
}

/** @throws PixelsError `not-found`. */
export async function requireCheckpoint(
  api: TrueNasApi,
  name: SandboxName,
  dataset: string,
  label: CheckpointLabel,
  signal?: AbortSignal,
): Promise<void> {
  const names = await snapshotNames(api, dataset, { about: { sandbox: name, checkpoint: label }, signal });
  if (!names.includes(snapshotOf(label))) throw noCheckpoint(name, label);
}

async function allSnapshots(
  api: TrueNasApi,
  instances: Instances,
  name: SandboxName,
  wanted: (snapshot: string) => boolean,
  signal: AbortSignal | undefined,
): Promise<Snapshot[]> {
  const { dataset } = await instances.read(name, signal);
  const options = { about: { sandbox: name }, signal };
  const names = await snapshotNames(api, dataset, options);
  return describeSnapshots(api, dataset, names.filter(wanted), options);
}

function cannotGoBack(name: SandboxName, label: CheckpointLabel, clones: string): PixelsError {
  return new PixelsError(
    'wrong-state',
    `${name} cannot go back to ${label}: ${clones} depends on something newer of it.`,
    { hint: 'Destroy that first, or make a new sandbox from the checkpoint.' },
  );
}

function noCheckpoint(name: SandboxName, label: CheckpointLabel, cause?: unknown): PixelsError {
  return new PixelsError('not-found', `${name} has no checkpoint "${label}".`, { cause });
}
