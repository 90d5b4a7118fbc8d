import { PixelsError } from './errors';
import { isUnderWay } from './mark';
import { BASE_PREFIX, type CheckpointLabel, type SandboxName } from './name';
import type { Sandbox } from './sandbox';

declare const brand: unique symbol;

/** A base's bare name, already checked: `agent`, never `base-agent`. */
export type BaseName = string & { readonly [brand]: 'BaseName' };

/** The checkpoint of a base that sandboxes are cloned from. */
export const READY = 'ready' as CheckpointLabel;

/** As long as a sandbox's name may be, less the prefix. */
const NAME_PATTERN = /^[a-z]([a-z0-9-]{0,53}[a-z0-9])?$/;

/** What a base is made of, as its definition says now. */
export interface BaseDefinition {
  readonly name: BaseName;
  /** One line for a person. */
  readonly description: string;
  /** The base that it is cloned from; undefined: it is made of its image. */
  readonly parent: BaseName | undefined;
  /** The image at the root of all its parents. */
  readonly image: string;
  /** The recipe that makes it out of its image, and out of its parent just as well: what is there already is skipped. */
  readonly recipe: string;
  /** Of all that goes into it, its parents' part too: image, recipe, and what of the configuration is fixed when it is made. */
  readonly hash: string;
}

/** Which bases there are. The provision room knows. */
export interface BaseCatalog {
  /** The base of a recipe: its name, or, where the recipe is a file's path, one made from that. */
  nameOf(recipe: string): BaseName;
  /** @throws PixelsError `not-found`; `config` when its definition or one of its parents' cannot be used. */
  find(name: BaseName): Promise<BaseDefinition>;
  /** All that are defined, sorted by name. @throws PixelsError `config`. */
  all(): Promise<readonly BaseDefinition[]>;
}

/** What Pixels keeps with a base (state key `base`). */
export interface BaseRecord {
  readonly name: BaseName;
  /** Of all that it was made of; one that differs from today's makes it stale. */
  readonly hash: string;
  readonly recipe: string;
  readonly outcome: 'building' | 'ready' | 'failed';
  /** The title of the step that failed: "Codex". */
  readonly failed?: string | undefined;
  /** When that was, in ms since 1970. */
  readonly since: number;
}

/**
 * How far a base is. `interrupted`: whoever was at work on it is no more. `foreign`: something of its name on the server that
 * Pixels has not made.
 */
export type BaseStatus = 'missing' | 'building' | 'deleting' | 'interrupted' | 'failed' | 'stale' | 'ready' | 'foreign';

/** A base's name as a person typed it; `base-agent` means `agent`. @throws PixelsError `invalid`. */
export function parseBaseName(typed: string): BaseName {
  const name = typed.trim().replace(/^(px-)?(base-)+/, '');
  if (NAME_PATTERN.test(name)) return name as BaseName;
  throw new PixelsError('invalid', `"${name}" cannot name a base.`, {
    hint: 'Use small letters, digits and hyphens, 55 at most, with a letter first.',
  });
}

/** The name under which the server has it: `agent` is `base-agent`. */
export function instanceOfBase(name: BaseName): SandboxName {
  return (BASE_PREFIX + name) as SandboxName;
}

/** The base that a name on the server belongs to; undefined for a sandbox's. */
export function baseOf(name: SandboxName): BaseName | undefined {
  return name.startsWith(BASE_PREFIX) ? (name.slice(BASE_PREFIX.length) as BaseName) : undefined;
}

/** Without the bases: every list of sandboxes is one of these. */
export function sandboxesIn<T extends { readonly name: SandboxName }>(all: readonly T[]): readonly T[] {
  return all.filter(({ name }) => baseOf(name) === undefined);
}

/** The bases alone. */
export function basesIn<T extends { readonly name: SandboxName }>(all: readonly T[]): readonly T[] {
  return all.filter(({ name }) => baseOf(name) !== undefined);
}

/**
 * How far a base is, by what the server has of it.
 * @param hash of what it would be made of now; undefined where nobody asks: then it is never stale.
 */
export function statusOfBase(found: Pick<Sandbox, 'mark' | 'state'> | undefined, hash?: string): BaseStatus {
  if (found === undefined) return 'missing';
  const record = readBaseRecord(found.state.base);
  if (record === undefined) return 'foreign';
  if (found.mark !== undefined) {
    if (!isUnderWay(found.mark)) return 'interrupted';
    return found.mark.action === 'destroy' ? 'deleting' : 'building';
  }
  if (record.outcome === 'building') return 'interrupted';
  return hash !== undefined && record.hash !== hash ? 'stale' : record.outcome;
}

/** The record in a base's state, or undefined where there is none, or none that this version can read. */
export function readBaseRecord(text: string | undefined): BaseRecord | undefined {
  if (text === undefined) return undefined;
  try {
    const raw = JSON.parse(text) as Partial<Record<keyof BaseRecord, unknown>>;
    const outcome = (['building', 'ready', 'failed'] as const).find((known) => known === raw.outcome);
    const { name, hash, recipe, failed, since } = raw;
    if (typeof name !== 'string' || typeof hash !== 'string' || typeof recipe !== 'string') return undefined;
    if (outcome === undefined || typeof since !== 'number') return undefined;
    const what = typeof failed === 'string' ? { failed } : {};
    return { name: name as BaseName, hash, recipe, outcome, since, ...what };
  } catch {
    return undefined;
  }
}
