import * as z from 'zod/mini';
import { isKind, PixelsError } from '../sandbox/errors';
import { covers, formatEntry, parseEntry, type Entry } from './entry';
import { findGroup, type Preset } from './preset';

export const EGRESS_MODES = ['unrestricted', 'agent', 'allowlist'] as const;
export type EgressMode = (typeof EGRESS_MODES)[number];

/** Where a policy is enforced: inside the sandbox, or by a gateway outside of it, which root inside cannot switch off. */
export const ENFORCEMENTS = ['guest', 'gateway'] as const;
export type Enforcement = (typeof ENFORCEMENTS)[number];

/**
 * What a sandbox may reach. What a person has said in one mode stays when the mode changes, so that going back brings it back.
 */
export interface Policy {
  readonly mode: EgressMode;
  readonly enforcement: Enforcement;
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
  /** Allowed as well until then. Sorted by their text, of which there is one each. */
  readonly timed: readonly TimedEntry[];
}

export interface TimedEntry {
  readonly entry: Entry;
  /** In whole seconds. */
  readonly until: Date;
  /** Not a person's, but what the set-up of the sandbox needs. */
  readonly forSetUp?: true;
}

/** Whether it is enforced by a gateway; there is nothing to enforce where everything may be reached. */
export function usesGateway({ mode, enforcement }: Policy): boolean {
  return enforcement === 'gateway' && mode !== 'unrestricted';
}

/** A policy of that mode with these entries of a person's own. */
export function newPolicy(mode: EgressMode, allow: readonly Entry[] = [], enforcement: Enforcement = 'guest'): Policy {
  return { mode, enforcement, on: [], off: [], allow: sorted(allow), deny: [], timed: [] };
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
  const timed = policy.timed.filter((other) => !covers(entry, other.entry));
  const isThere = within === undefined && allowed({ ...policy, deny }, preset).some((other) => covers(other, entry));
  return { ...policy, deny, timed, allow: isThere ? policy.allow : sorted([...policy.allow, entry]) };
}

/**
 * The policy with that allowed as well, until then. What is allowed without an end stays so.
 * @throws PixelsError `invalid`, also for what somebody has denied: it would not be denied again by itself.
 */
export function allowingUntil(policy: Policy, typed: string, until: Date, preset: Preset): Policy {
  if (typed.trim().startsWith('@')) {
    throw new PixelsError('invalid', 'A group cannot be switched on for some time.', { hint: 'Name single domains.' });
  }
  const entry = parseEntry(typed);
  const counts = (denied: Entry): boolean =>
    covers(denied, entry) && (denied.kind === 'range' || (entry.kind === 'domain' && denied.name === entry.name));
  const denied = policy.deny.find(counts);
  if (denied !== undefined) {
    throw new PixelsError('invalid', `${formatEntry(denied)} is denied, which counts more.`, {
      hint: `Allow ${formatEntry(denied)} without a time first, which takes that back.`,
    });
  }
  if (allowed(policy, preset).some((other) => covers(other, entry)) && !policy.deny.some((it) => covers(it, entry))) {
    return policy;
  }
  const text = formatEntry(entry);
  const others = policy.timed.filter((other) => formatEntry(other.entry) !== text);
  const whole = new Date(Math.ceil(until.getTime() / 1000) * 1000);
  return { ...policy, timed: byText([...others, { entry, until: whole }]) };
}

/** The policy with these things, groups among them, allowed as well until then, for the set-up; but not what a person has denied. */
export function lending(policy: Policy, needs: readonly string[], until: Date, preset: Preset): Policy {
  const wanted = needs.flatMap((need) =>
    need.startsWith('@') ? findGroup(preset, need.slice(1)).entries : [parseEntry(need)],
  );
  const own = takingBack(policy);
  const ownTexts = new Set(own.timed.map(({ entry }) => formatEntry(entry)));
  const lent = wanted
    .map(formatEntry)
    .filter((text) => !ownTexts.has(text))
    .reduce((before, text) => {
      try {
        return allowingUntil(before, text, until, preset);
      } catch (error) {
        if (isKind(error, 'invalid')) return before; // denied
        throw error;
      }
    }, own);
  const isOwn = (one: TimedEntry): boolean => own.timed.includes(one);
  return { ...own, timed: lent.timed.map((one) => (isOwn(one) ? one : { ...one, forSetUp: true })) };
}

/** The policy without what was lent to the set-up. */
export function takingBack(policy: Policy): Policy {
  return { ...policy, timed: policy.timed.filter(({ forSetUp }) => forSetUp === undefined) };
}

/** The policy at a time: what is allowed until later is one of the person's own entries, and what has ended is gone. */
export function policyAt(policy: Policy, time: Date): Policy {
  const running = policy.timed.filter(({ until }) => until > time).map(({ entry }) => entry);
  return { ...policy, allow: sorted([...policy.allow, ...running]), timed: [] };
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
  const timed = policy.timed.filter((other) => !covers(entry, other.entry));
  const others = [...allowed({ ...policy, allow, deny }, preset), ...timed.map((other) => other.entry)];
  const isLeft = others.some((it) => covers(it, entry) || covers(entry, it));
  if (!isLeft) return { ...policy, allow, deny, timed };
  if (entry.port !== undefined) {
    const whole = formatEntry({ ...entry, port: undefined });
    throw new PixelsError('invalid', `Of what stays allowed, ${whole} can only be denied with all of its ports.`, {
      hint: `Deny "${whole}", then allow it with the ports that it is to have.`,
    });
  }
  return { ...policy, allow, timed, deny: sorted([...deny, entry]) };
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

function byText(entries: readonly TimedEntry[]): readonly TimedEntry[] {
  const text = ({ entry }: TimedEntry): string => formatEntry(entry);
  return [...entries].sort((one, other) => (text(one) < text(other) ? -1 : 1));
}

/** Since 2 there is `timed`, since 3 `enforcement` and `forSetUp`; where they say nothing new, an older Pixels may read it too. */
const VERSION = 3;
const ids = z.array(z.string());
const policySchema = z.strictObject({
  v: z.literal([1, 2, VERSION]),
  mode: z.enum(EGRESS_MODES),
  enforcement: z._default(z.enum(ENFORCEMENTS), 'guest'),
  on: ids,
  off: ids,
  allow: z.array(z.string()),
  deny: z.array(z.string()),
  timed: z._default(
    z.array(z.strictObject({ entry: z.string(), until: z.int(), forSetUp: z.optional(z.literal(true)) })),
    [],
  ),
});

/** The policy as it is kept with its sandbox on the server: the same text for the same policy. */
export function writePolicy({ mode, enforcement, on, off, allow, deny, timed }: Policy): string {
  const lists = { mode, on, off, allow: allow.map(formatEntry), deny: deny.map(formatEntry) };
  if (timed.length === 0 && enforcement === 'guest') return JSON.stringify({ v: 1, ...lists });
  const written = timed.map(({ entry, until, forSetUp }) => ({
    entry: formatEntry(entry),
    until: until.getTime() / 1000,
    ...(forSetUp ? { forSetUp } : {}),
  }));
  if (enforcement === 'guest' && timed.every(({ forSetUp }) => forSetUp === undefined))
    return JSON.stringify({ v: 2, ...lists, timed: written });
  return JSON.stringify({ v: VERSION, ...lists, enforcement, timed: written });
}

/**
 * The policy in a sandbox's state, without what has ended by `now`. What cannot be read in every detail is an error: to guess would
 * be to open the sandbox.
 * @throws PixelsError `protocol`.
 */
export function readPolicy(text: string, now = new Date()): Policy {
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
    const { mode, enforcement, on, off, allow, deny, timed } = z.parse(policySchema, raw);
    const until = timed.map((one) => new Date(one.until * 1000));
    const read = strict(timed.map(({ entry }) => entry)).map((entry, at) => ({
      entry,
      until: until[at] ?? now,
      ...(timed[at]?.forSetUp ? { forSetUp: true as const } : {}),
    }));
    const running = read.filter((one) => one.until > now);
    return { mode, enforcement, on, off, allow: strict(allow), deny: strict(deny), timed: running };
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
