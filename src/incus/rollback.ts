import { PixelsError } from '../sandbox/errors';
import type { Run } from '../sandbox/host';
import { instanceName, type CheckpointLabel, type SandboxName } from '../sandbox/name';
import type { IncusApi } from './api';
import { isRefusal } from './errors';
import { ensureNetwork, removeUnused } from './gateway/machine';
import { clearJournals, readNotes, settingsOf, writeJournal, type Settings, type VolumeNote } from './journal';
import { change } from './operation';
import { poolOf } from './sandboxes';
import { GENERATION_KEY, instancePath } from './state';
import { instanceSchema, type Instance } from './wire';

/*
 * Incus reverts the settings of an instance (limits, devices, user.pixels.*) together with its filesystem. Here they are
 * put back right afterwards, and a client that is killed in between leaves enough for the next one to do it:
 *
 * - Incus gives the instance a new `volatile.uuid.generation` with every restore, by whomever. The generation that the
 *   settings belong to is kept in `user.pixels.generation` (absent: that of a never restored instance, which equals
 *   `volatile.uuid`). Where they differ, the settings are those of a checkpoint: the instance is *reverted*.
 * - Before the restore, the settings are written into the description of the checkpoint's volume, which a restore leaves
 *   alone: the journal (journal.ts). Where there is none, it was not Pixels that restored.
 */

const STOPPED = 102;

/** Whether the instance's settings are those of a checkpoint, because nobody has finished a restore. */
export function isReverted({ config }: Pick<Instance, 'config'>): boolean {
  const generation = config['volatile.uuid.generation'];
  if (generation === undefined || generation === config['volatile.uuid']) return false;
  return generation !== config[GENERATION_KEY];
}

/** The settings that a reverted instance had before, when it was Pixels that rolled it back. */
export async function settingsBefore(
  api: IncusApi,
  name: SandboxName,
  instance: Instance,
  signal?: AbortSignal,
): Promise<Settings | undefined> {
  return journaledSettings(await readNotes(api, rootPool(instance), name, signal));
}

/** The settings in the journal among the notes on a sandbox's checkpoints. */
export function journaledSettings(notes: readonly VolumeNote[]): Settings | undefined {
  return notes.find(({ settings }) => settings !== undefined)?.settings;
}

/** The body of a PUT that gives the instance these settings, and says that they belong to its present generation. */
export function withSettings(instance: Instance, settings: Settings): object {
  const volatile = Object.entries(instance.config).filter(([key]) => key.startsWith('volatile.'));
  return {
    architecture: instance.architecture,
    ephemeral: instance.ephemeral,
    ...settings,
    config: {
      ...settings.config,
      ...Object.fromEntries(volatile),
      [GENERATION_KEY]: instance.config['volatile.uuid.generation'] ?? '',
    },
  };
}

/** See `SandboxHost.rollback`. Cannot be cancelled once it has begun: half a rollback is worse than a late answer. */
export async function rollback(api: IncusApi, name: SandboxName, label: CheckpointLabel, run: Run = {}): Promise<void> {
  const about = { name, label };
  const path = instancePath(instanceName(name));
  const { signal, onProgress } = run;
  const instance = await api.read(path, instanceSchema, { about, signal });
  if (instance.status_code !== STOPPED) {
    throw new PixelsError('wrong-state', `${name} must be stopped to go back to ${label}.`, { hint: 'Stop it first.' });
  }
  const pool = rootPool(instance);
  const notes = await readNotes(api, pool, name, signal);
  const note = notes.find((candidate) => candidate.label === label);
  if (note === undefined) throw new PixelsError('not-found', `${name} has no checkpoint "${label}".`);
  // After an interrupted rollback, what counts is what was before it.
  const settings = (isReverted(instance) ? journaledSettings(notes) : undefined) ?? settingsOf(instance);
  await writeJournal(api, pool, name, note, settings);
  const isLeft = await restore(api, name, label, { onProgress });
  await putBack(api, name, settings);
  if (isLeft) await removeUnused(api);
  await clearJournals(api, pool, name, [note, ...notes.filter((other) => other !== note && other.settings)]);
}

/**
 * Incus takes over the checkpoint's NICs as well, for the moment until {@link putBack}, and their network has to be there.
 * @returns whether it had to be made.
 */
async function restore(api: IncusApi, name: SandboxName, label: CheckpointLabel, run: Run): Promise<boolean> {
  const path = instancePath(instanceName(name));
  const request = { body: { restore: label }, about: { name, label }, run };
  try {
    await change(api, 'PUT', path, request);
    return false;
  } catch (error) {
    if (!isRefusal(error, 'no-such-network')) throw error;
    // Only a gateway's comes and goes by itself.
    await ensureNetwork(api);
    await change(api, 'PUT', path, request);
    return true;
  }
}

async function putBack(api: IncusApi, name: SandboxName, settings: Settings): Promise<void> {
  const path = instancePath(instanceName(name));
  for (;;) {
    const { value: instance, etag } = await api.readTagged(path, instanceSchema, { about: { name } });
    if (!isReverted(instance)) return; // another process has done it, from the journal
    try {
      const body = withSettings(instance, settings);
      await change(api, 'PUT', path, { body, headers: { 'If-Match': etag }, about: { name } });
      return;
    } catch (error) {
      if (!isRefusal(error, 'etag')) throw error;
    }
  }
}

function rootPool(instance: Instance): string {
  const pool = poolOf(instance.expanded_devices);
  if (pool === undefined) throw new PixelsError('protocol', `${instance.name} has no root disk.`);
  return pool;
}
