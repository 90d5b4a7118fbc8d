import * as z from 'zod/mini';
import { isKind } from '../sandbox/errors';
import type { Mark } from '../sandbox/mark';
import { instanceName, labelProblem, type SandboxName } from '../sandbox/name';
import type { Sandbox } from '../sandbox/sandbox';
import { loadAddresses, stateAddresses } from './addresses';
import type { IncusApi } from './api';
import { readNote, type VolumeNote } from './journal';
import { isReverted, journaledSettings, settingsBefore } from './rollback';
import { isUp, nameOf, poolOf, sandboxOf } from './sandboxes';
import { instancePath } from './state';
import { fullInstanceSchema, instanceSchema, volumeSchema, type Instance } from './wire';

/** Incus' own name for the first pool, right for most servers. A wrong guess costs one quick request. */
const USUAL_POOL = 'default';

/** The notes on the checkpoints of every instance, by instance name. */
type Notes = ReadonlyMap<string, VolumeNote[]>;

interface Found {
  readonly name: SandboxName;
  readonly instance: Instance;
}

/**
 * The list of all sandboxes in a constant number of requests: instances, checkpoints by pool, leases by network. Which pools
 * there are is remembered, so that they can be asked at the same time as the instances.
 */
export class SandboxList {
  private pools: ReadonlySet<string> = new Set([USUAL_POOL]);

  constructor(private readonly api: IncusApi) {}

  /** See `SandboxHost.list`. */
  async load(signal?: AbortSignal): Promise<Sandbox[]> {
    const loading = this.loadInstances(signal);
    const [sandboxes, addresses, checkpoints] = await Promise.all([
      loading,
      loading.then((found) => loadAddresses(this.api, found.map(({ instance }) => instance).filter(isUp), signal)),
      this.loadCheckpoints(loading, signal),
    ]);
    return sandboxes
      .map(({ name, instance }) => {
        const own = checkpoints.get(instance.name) ?? [];
        return sandboxOf(name, instance, {
          addresses: addresses.get(instance.name) ?? [],
          checkpointCount: countOf(own.map(({ label }) => label)),
          reverted: isReverted(instance) ? { settings: journaledSettings(own) } : undefined,
        });
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  private async loadInstances(signal?: AbortSignal): Promise<Found[]> {
    const all = await this.api.read('/instances', z.array(instanceSchema), { query: { recursion: 1 }, signal });
    return all.flatMap((instance) => {
      const name = nameOf(instance);
      return name === undefined ? [] : [{ name, instance }];
    });
  }

  private async loadCheckpoints(loading: Promise<Found[]>, signal?: AbortSignal): Promise<Notes> {
    const guessed = this.pools;
    const first = Promise.all([...guessed].map((pool) => loadNotes(this.api, pool, signal)));
    const [sandboxes, early] = await Promise.all([loading, first]);
    this.pools = new Set(sandboxes.flatMap(({ instance }) => poolOf(instance.expanded_devices) ?? []));
    const missed = [...this.pools].filter((pool) => !guessed.has(pool));
    const late = await Promise.all(missed.map((pool) => loadNotes(this.api, pool, signal)));
    return new Map([...early, ...late].flatMap((ofPool) => [...ofPool]));
  }
}

/** See `SandboxHost.get`. */
export async function getSandbox(api: IncusApi, name: SandboxName, signal?: AbortSignal): Promise<Sandbox> {
  const path = instancePath(instanceName(name));
  const instance = await api.read(path, fullInstanceSchema, { query: { recursion: 1 }, about: { name }, signal });
  return sandboxOf(name, instance, {
    addresses: stateAddresses(instance, instance.state?.network ?? null),
    checkpointCount: countOf((instance.snapshots ?? []).map((snapshot) => snapshot.name)),
    reverted: isReverted(instance) ? { settings: await settingsBefore(api, name, instance, signal) } : undefined,
  });
}

/** The mark of a sandbox alone: what it costs Incus to look at addresses and checkpoints is left out. @throws `not-found`. */
export async function getMark(api: IncusApi, name: SandboxName, signal?: AbortSignal): Promise<Mark | undefined> {
  const instance = await api.read(instancePath(instanceName(name)), instanceSchema, { about: { name }, signal });
  const reverted = isReverted(instance) ? { settings: await settingsBefore(api, name, instance, signal) } : undefined;
  return sandboxOf(name, instance, { addresses: [], checkpointCount: 0, reverted }).mark;
}

async function loadNotes(api: IncusApi, pool: string, signal?: AbortSignal): Promise<Notes> {
  const notes = new Map<string, VolumeNote[]>();
  const path = `/storage-pools/${encodeURIComponent(pool)}/volumes/container`;
  try {
    for (const volume of await api.read(path, z.array(volumeSchema), { query: { recursion: 1 }, signal })) {
      const note = readNote(volume);
      const [instance = ''] = volume.name.split('/');
      if (note !== undefined) notes.set(instance, [...(notes.get(instance) ?? []), note]);
    }
  } catch (error) {
    if (!isKind(error, 'not-found')) throw error; // the guessed pool is not there
  }
  return notes;
}

/** Snapshots that somebody has given a name that Pixels cannot show are not counted, and not listed either. */
function countOf(labels: readonly string[]): number {
  return labels.filter((label) => labelProblem(label) === undefined).length;
}
