import * as z from 'zod/mini';
import type { Run } from '../sandbox/host';
import { instanceName, labelProblem, type CheckpointLabel, type SandboxName } from '../sandbox/name';
import { PixelsError } from '../sandbox/errors';
import type { Checkpoint, LostSnapshot } from '../sandbox/sandbox';
import type { IncusApi } from './api';
import { rollbackDestroysNewer } from './info';
import { change } from './operation';
import { instancePath } from './state';
import { snapshotSchema } from './wire';

/** See `SandboxHost.checkpoints`. Snapshots whose names Pixels could not show or take are left out. */
export async function checkpoints(api: IncusApi, name: SandboxName, signal?: AbortSignal): Promise<Checkpoint[]> {
  const query = { recursion: 1 };
  const snapshots = await api.read(snapshotsPath(name), z.array(snapshotSchema), { query, about: { name }, signal });
  return snapshots
    .filter((snapshot) => labelProblem(snapshot.name) === undefined)
    .map((snapshot) => ({
      label: snapshot.name as CheckpointLabel,
      createdAt: new Date(snapshot.created_at),
      // -1 (or 0) is Incus' word for a storage that does not say, such as btrfs without quotas.
      sizeBytes: snapshot.size > 0 ? snapshot.size : undefined,
    }))
    .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
}

/** See `SandboxHost.createCheckpoint`. */
export async function createCheckpoint(
  api: IncusApi,
  name: SandboxName,
  label: CheckpointLabel,
  run: Run = {},
): Promise<void> {
  await change(api, 'POST', snapshotsPath(name), { body: { name: label }, about: { name, label }, run });
}

/** See `SandboxHost.deleteCheckpoint`. */
export async function deleteCheckpoint(
  api: IncusApi,
  name: SandboxName,
  label: CheckpointLabel,
  run: Run = {},
): Promise<void> {
  await change(api, 'DELETE', `${snapshotsPath(name)}/${encodeURIComponent(label)}`, { about: { name, label }, run });
}

/** See `SandboxHost.lostByRollback`. */
export async function lostByRollback(
  api: IncusApi,
  name: SandboxName,
  label: CheckpointLabel,
  signal?: AbortSignal,
): Promise<LostSnapshot[]> {
  const all = await checkpoints(api, name, signal);
  const position = all.findIndex((checkpoint) => checkpoint.label === label);
  if (position === -1) throw new PixelsError('not-found', `${name} has no checkpoint "${label}".`);
  if (!(await rollbackDestroysNewer(api, signal))) return [];
  return all.slice(position + 1).map((newer) => ({ ...newer, snapshot: newer.label }));
}

function snapshotsPath(name: SandboxName): string {
  return `${instancePath(instanceName(name))}/snapshots`;
}
