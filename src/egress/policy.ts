import * as z from 'zod/mini';
import { PixelsError } from '../sandbox/errors';
import { covers, formatEntry, parseEntry, type Entry } from './entry';
import { findGroup, type Preset } from './preset';

export const EGRESS_MODES = ['unrestricted', 'agent', 'allowlist'] as const;
export type EgressMode = (typeof EGRESS_MODES)[number];

/**
 * What a sandbox may reach. What a person has said in one mode stays when the mode changes, so that going back brings it back.
 */
export interface Policy {
  readonly mode: EgressMode;
  /** Groups of the preset that are switched on or off, where that differs from what the preset says. Sorted. */
  readonly on: readonly string[];
  readonly off: readonly string[];
  /** The person's own entries, in every mode but `unrestricted`. Sorted by their text. */
  readonly allow: readonly Entry[];
  /**
   * Exceptions from what is allowed, without ports. Of a denied name and one of the person's own the more exact one counts; a denied
   * address is denied whatever allows it. Sorted.
   */
  readonly deny: readonly Entry[];
}

/** A policy of that mode with these entries of a person's own. */
export function newPolicy(mode: EgressMode, allow: readonly Entry[] = []): Policy {
  return { mode, on: [], off: [], allow: sorted(allow), deny: [] };
}

/**
 * The policy with that allowed as well: an entry, or a group of the preset, `@git`.
 * @throws PixelsError `invalid`; `wrong-state` for a group in another mode than `agent`.
 */
export function allowing(policy: Policy, typed: string, preset: Preset): Policy {
  if (typed.trim().startsWith('@')) return withGroup(policy, typed, preset, true);
  const entry = parseEntry(typed);
  const deny = policy.deny.filter((denied) => !covers(entry, denied));
  const within = deny.find((denied) => covers(denied, entry));
  if (within?.kind === 'range') {
    throw new PixelsError('invalid', `${formatEntry(entry)} lies in ${formatEntry(within)}, which is denied.`, {
      hint: `Allow ${formatEntry(within)} first, which takes that back.`,
    });
  }
  const isThere = within === undefined && allowed({ ...policy, deny }, preset).some((other) => covers(other, entry));
  return { ...policy, deny, allow: isThere ? policy.allow : sorted([...policy.allow, entry]) };
}

/**
 * The policy with that not allowed any more: an entry, or a group of the preset. What is only a part of something that stays allowed
 * becomes an exception from it.
 * @throws PixelsError as {@link allowing} does.
 */
export function denying(policy: Policy, typed: string, preset: Preset): Policy {
  if (typed.trim().startsWith('@')) return withGroup(policy, typed, preset, false);
  const entry = parseEntry(typed);
  const allow = policy.allow.filter((other) => !covers(entry, other));
  const deny = policy.deny.filter((other) => !covers(entry, other));
  const isLeft = allowed({ ...policy, allow, deny }, preset).some((it) => covers(it, entry) || covers(entry, it));
  if (!isLeft) return { ...policy, allow, deny };
  if (entry.port !== undefined) {
    const whole = formatEntry({ ...entry, port: undefined });
    throw new PixelsError('invalid', `Of what stays allowed, ${whole} can only be denied with all of its ports.`, {
      hint: `Deny "${whole}", then allow it with the ports that it is to have.`,
    });
  }
  return { ...policy, allow, deny: sorted([...deny, entry]) };
}

/**
 * All entries that the policy's mode allows: those of the groups that are on and are not denied, then the person's own. What of them
 * is excepted is in {@link Policy.deny}.
 */
export function allowed(policy: Policy, preset: Preset): readonly Entry[] {
  const { mode, allow, deny } = policy;
  if (mode === 'unrestricted') return [];
  const groups = mode === 'agent' ? preset.filter((group) => isOn(policy, group)) : [];
  const given = groups.flatMap(({ entries }) => entries);
  return [...given.filter((entry) => !deny.some((denied) => covers(denied, entry))), ...allow];
}

/** Whether a group of the preset counts in the mode `agent`. */
export function isOn({ on, off }: Policy, { id, enabled }: Preset[number]): boolean {
  return on.includes(id) || (enabled && !off.includes(id));
}

function withGroup(policy: Policy, typed: string, preset: Preset, wanted: boolean): Policy {
  const { id, enabled } = findGroup(preset, typed.trim().slice(1));
  if (policy.mode !== 'agent') {
    throw new PixelsError('wrong-state', `Groups count in the mode "agent" only; this is "${policy.mode}".`, {
      hint: 'Set the mode first, or name single domains.',
    });
  }
  const without = (ids: readonly string[]): string[] => ids.filter((other) => other !== id);
  const differs = wanted === enabled ? [] : [id];
  return {
    ...policy,
    on: [...without(policy.on), ...(wanted ? differs : [])].sort(),
    off: [...without(policy.off), ...(wanted ? [] : differs)].sort(),
  };
}

function sorted(entries: readonly Entry[]): readonly Entry[] {
  const byText = new Map(entries.map((entry) => [formatEntry(entry), entry]));
  return [...byText].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, entry]) => entry);
}

const VERSION = 1;
const ids = z.array(z.string());
const policySchema = z.strictObject({
  v: z.literal(VERSION),
  mode: z.enum(EGRESS_MODES),
  on: ids,
  off: ids,
  allow: z.array(z.string()),
  deny: z.array(z.string()),
});

/** The policy as it is kept with its sandbox on the server: the same text for the same policy. */
export function writePolicy({ mode, on, off, allow, deny }: Policy): string {
  return JSON.stringify({ v: VERSION, mode, on, off, allow: allow.map(formatEntry), deny: deny.map(formatEntry) });
}

/**
 * The policy in a sandbox's state. What cannot be read in every detail is an error: to guess would be to open the sandbox.
 * @throws PixelsError `protocol`.
 */
export function readPolicy(text: string): Policy {
  const refuse = (cause: unknown, hint = 'Set it anew: pixels network set NAME MODE'): never => {
    throw new PixelsError('protocol', 'The egress policy that is kept with the sandbox cannot be read.', {
      hint,
      cause,
    });
  };
  try {
    const raw: unknown = JSON.parse(text);
    const version = typeof raw === 'object' && raw !== null && 'v' in raw ? raw.v : undefined;
    if (typeof version === 'number' && version > VERSION) {
      return refuse(undefined, 'A newer Pixels has written it: update this one.');
    }
    const { mode, on, off, allow, deny } = z.parse(policySchema, raw);
    return { mode, on, off, allow: strict(allow), deny: strict(deny) };
  } catch (error) {
    return error instanceof PixelsError && error.kind === 'protocol' ? raise(error) : refuse(error);
  }
}

/** Entries that are written as we write them, and no other way. */
function strict(texts: readonly string[]): readonly Entry[] {
  return texts.map((text) => {
    const entry = parseEntry(text);
    if (formatEntry(entry) !== text) throw new Error(`"${text}" is not written as it should be`);
    return entry;
  });
}

function raise(error: unknown): never {
  throw error;
}
