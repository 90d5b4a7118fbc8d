import * as z from 'zod/mini';
import { instanceName, type CheckpointLabel, type SandboxName } from '../sandbox/name';
import type { IncusApi } from './api';
import { volumeSchema, type Instance } from './wire';

/** What a rollback must not change. `config` is without `volatile.*`, which is Incus' own. */
export type Settings = Pick<Instance, 'config' | 'devices' | 'profiles' | 'description'>;

/** A checkpoint's volume: its description, and what a rollback has written there. */
export interface VolumeNote {
  readonly label: string;
  /** What a person wrote there. */
  readonly description: string;
  /** The settings from before a rollback to this checkpoint that was begun and not finished. */
  readonly settings: Settings | undefined;
}

const PREFIX = 'Pixels rollback in progress: ';

const texts = z.record(z.string(), z.string());
const journalSchema = z.object({
  label: z.string(),
  description: z.string(),
  settings: z.object({
    config: texts,
    devices: z.record(z.string(), texts),
    profiles: z.array(z.string()),
    description: z.string(),
  }),
});

/** The settings of an instance. */
export function settingsOf({ config, devices, profiles, description }: Instance): Settings {
  const own = Object.entries(config).filter(([key]) => !key.startsWith('volatile.'));
  return { config: Object.fromEntries(own), devices, profiles, description };
}

/** What a storage volume's description says. Undefined when the volume is no checkpoint's. */
export function readNote(volume: { name: string; description: string }): VolumeNote | undefined {
  const [, label] = volume.name.split('/');
  if (label === undefined) return undefined;
  const journal = parse(volume.description);
  if (journal === undefined) return { label, description: volume.description, settings: undefined };
  // A restored instance, and the checkpoints taken of it, inherit the description; the journal is only where it was written.
  const { description, settings } = journal;
  return { label, description, settings: journal.label === label ? settings : undefined };
}

/** The notes on all checkpoints of a sandbox. */
export async function readNotes(
  api: IncusApi,
  pool: string,
  name: SandboxName,
  signal?: AbortSignal,
): Promise<VolumeNote[]> {
  const path = `${volumePath(pool, name)}/snapshots`;
  const volumes = await api.read(path, z.array(volumeSchema), { query: { recursion: 1 }, about: { name }, signal });
  return volumes.flatMap((volume) => readNote(volume) ?? []);
}

/** Writes down what a rollback to the checkpoint must not change. */
export async function writeJournal(
  api: IncusApi,
  pool: string,
  name: SandboxName,
  note: VolumeNote,
  settings: Settings,
): Promise<void> {
  const journal: z.infer<typeof journalSchema> = { label: note.label, description: note.description, settings };
  await describe(api, pool, name, note.label, PREFIX + JSON.stringify(journal));
}

/** Takes the journals of finished and abandoned rollbacks away. */
export async function clearJournals(
  api: IncusApi,
  pool: string,
  name: SandboxName,
  notes: readonly VolumeNote[],
): Promise<void> {
  await Promise.all([
    restoreOwnDescription(api, pool, name),
    ...notes.map(({ label, description }) => describe(api, pool, name, label, description)),
  ]);
}

/** A restore gives the instance's own volume the description of the checkpoint's. */
async function restoreOwnDescription(api: IncusApi, pool: string, name: SandboxName): Promise<void> {
  const schema = z.object({ description: z.string(), config: texts });
  const { description, config } = await api.read(volumePath(pool, name), schema, { about: { name } });
  const journal = parse(description);
  if (journal === undefined) return;
  const body = { config, description: journal.description };
  await api.request('PUT', volumePath(pool, name), { body, about: { name } });
}

async function describe(
  api: IncusApi,
  pool: string,
  name: SandboxName,
  label: string,
  description: string,
): Promise<void> {
  const path = `${volumePath(pool, name)}/snapshots/${encodeURIComponent(label)}`;
  await api.request('PUT', path, { body: { description }, about: { name, label: label as CheckpointLabel } });
}

function volumePath(pool: string, name: SandboxName): string {
  return `/storage-pools/${encodeURIComponent(pool)}/volumes/container/${encodeURIComponent(instanceName(name))}`;
}

function parse(description: string): z.infer<typeof journalSchema> | undefined {
  if (!description.startsWith(PREFIX)) return undefined;
  try {
    return z.parse(journalSchema, JSON.parse(description.slice(PREFIX.length)));
  } catch {
    return undefined;
  }
}
