import { randomBytes } from 'node:crypto';
import type { SandboxState, StateChange } from '../sandbox/sandbox';

/**
 * Where a sandbox's state is on TrueNAS: JSON in one environment variable of the instance, which a rollback leaves
 * alone. What runs in the sandbox can read it (it is in the environment of its init), so nothing in it may be secret.
 */
export const META_KEY = 'PIXELS_META';

const VERSION = 1;

/** How many of the last writes are remembered; see {@link Meta.writes}. */
const MOST_WRITES = 12;

/** What Pixels keeps with an instance. */
export interface Meta {
  readonly state: SandboxState;
  /** Absent: the instance was not made by this extension. */
  readonly createdAt?: Date | undefined;
  /** The image as it was asked for. A copy has its source's. */
  readonly image?: string | undefined;
  /** Set while the instance is a copy whose files are not there yet: the snapshot that they come from. */
  readonly copyOf?: string | undefined;
  /** The snapshot on the source that a linked clone depends on. */
  readonly linkedTo?: string | undefined;
  /** Kept while the instance is marked, where devices are added one by one after it was made: those that it is to have, in order. */
  readonly devices?: readonly Device[] | undefined;
  /** Random names of the last writes, newest first. A writer that does not find its own among them was overwritten. */
  readonly writes: readonly string[];
  /** What a newer version has written and this one does not know. It stays. */
  readonly unknown: Readonly<Record<string, unknown>>;
}

type Device = Readonly<Record<string, unknown>>;
type Environment = Readonly<Record<string, string>>;

/** What an instance's environment says. Where there is nothing, or nothing readable, the state is empty. */
export function readMeta(environment: Environment): Meta {
  const { createdAt, image, copyOf, linkedTo, devices, writes, ...rest } = parsed(environment[META_KEY]);
  const created = new Date(textOr(createdAt) ?? NaN);
  const states = Object.entries(rest).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return {
    state: Object.fromEntries(states),
    createdAt: Number.isNaN(created.getTime()) ? undefined : created,
    image: textOr(image),
    copyOf: textOr(copyOf),
    linkedTo: textOr(linkedTo),
    devices: Array.isArray(devices)
      ? devices.filter((device) => typeof device === 'object' && device !== null)
      : undefined,
    writes: Array.isArray(writes) ? writes.filter((write) => typeof write === 'string') : [],
    unknown: Object.fromEntries(Object.entries(rest).filter(([, value]) => typeof value !== 'string')),
  };
}

/** The environment with this in it; other variables stay. */
export function withMeta(environment: Environment, meta: Meta): Record<string, string> {
  const { state, createdAt, image, copyOf, linkedTo, devices, writes, unknown } = meta;
  const own = {
    v: VERSION,
    ...unknown,
    ...state,
    createdAt: createdAt?.toISOString(),
    image,
    copyOf,
    linkedTo,
    devices,
    writes,
  };
  return { ...environment, [META_KEY]: JSON.stringify(own) };
}

/** The state with the change applied. */
export function changed(state: SandboxState, change: StateChange): SandboxState {
  const entries = Object.entries({ ...state, ...change }) as [string, string | null | undefined][];
  return Object.fromEntries(entries.filter(([, value]) => value !== null && value !== undefined));
}

/** The same with one more write in its history, and that write's name. */
export function signed(meta: Meta): { readonly meta: Meta; readonly write: string } {
  const write = randomBytes(4).toString('hex');
  return { meta: { ...meta, writes: [write, ...meta.writes].slice(0, MOST_WRITES) }, write };
}

function parsed(text: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}

function textOr(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
