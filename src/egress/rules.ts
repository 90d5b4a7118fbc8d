import { PixelsError } from '../sandbox/errors';
import { covers, type DomainEntry, type Entry, type RangeEntry } from './entry';
import { allowed, type Policy } from './policy';
import type { Preset } from './preset';

/** A policy and the preset of today, put together: what is rendered. */
export interface Rules {
  /** Sorted by name; one for each name that any entry names. */
  readonly domains: readonly DomainRule[];
  readonly allowedRanges: readonly RangeEntry[];
  readonly deniedRanges: readonly RangeEntry[];
}

/** What holds for a name, and for those below it that have no rule of their own. */
export interface DomainRule {
  readonly name: string;
  /** Ports that the name itself may be reached at; empty: not at all. */
  readonly ports: Ports;
  /** The same for the names below it. */
  readonly below: Ports;
}

/** Sorted. */
export type Ports = 'all' | readonly number[];

/**
 * What a policy comes to; undefined where everything is allowed.
 * @throws PixelsError `invalid` for a name with other ports than those of the names below it: a resolver that learns addresses for a
 * domain learns them for all of it.
 */
export function rulesOf(policy: Policy, preset: Preset): Rules | undefined {
  if (policy.mode === 'unrestricted') return undefined;
  const entries = allowed(policy, preset);
  const domains = [...entries, ...policy.deny].filter((entry) => entry.kind === 'domain');
  const names = [...new Set(domains.map(({ name }) => name))].sort();
  const index = { allow: byName(entries), deny: byName(policy.deny) };
  return {
    domains: names.map((name) => ruleFor(name, index)),
    allowedRanges: withoutCovered(entries.filter((entry) => entry.kind === 'range')),
    deniedRanges: withoutCovered(policy.deny.filter((entry) => entry.kind === 'range')),
  };
}

interface Indexes {
  readonly allow: Index;
  readonly deny: Index;
}
type Index = ReadonlyMap<string, readonly DomainEntry[]>;

function byName(entries: readonly Entry[]): Index {
  const index = new Map<string, DomainEntry[]>();
  for (const entry of entries) {
    if (entry.kind === 'domain') index.set(entry.name, [...(index.get(entry.name) ?? []), entry]);
  }
  return index;
}

function ruleFor(name: string, indexes: Indexes): DomainRule {
  const rule = { name, ports: portsOf(name, indexes, true), below: portsOf(name, indexes, false) };
  if (rule.ports.length === 0 || rule.below.length === 0 || String(rule.ports) === String(rule.below)) return rule;
  throw new PixelsError('invalid', `${name} would have other ports than the names below it, which is not possible.`, {
    hint: `Allow "${name}" instead of "=${name}", or take away the other entry.`,
  });
}

/**
 * Walks up from the name: each entry adds its ports, until a denied name is met, above which nothing counts. At the same name, what is
 * denied counts more.
 */
function portsOf(name: string, { allow, deny }: Indexes, itself: boolean): Ports {
  const ports = new Set<number>();
  for (let at: string | undefined = name; at !== undefined; at = parentOf(at)) {
    const counts = ({ exact }: DomainEntry): boolean => !exact || (itself && at === name);
    if (deny.get(at)?.some(counts)) break;
    for (const { port } of (allow.get(at) ?? []).filter(counts)) {
      if (port === undefined) return 'all';
      ports.add(port);
    }
  }
  return [...ports].sort((one, other) => one - other);
}

function parentOf(name: string): string | undefined {
  const dot = name.indexOf('.');
  return dot === -1 ? undefined : name.slice(dot + 1);
}

/** A packet filter takes no ranges that lie within each other. */
function withoutCovered(ranges: readonly RangeEntry[]): readonly RangeEntry[] {
  return ranges.filter((range, at) =>
    ranges.every((other, otherAt) => at === otherAt || !covers(other, range) || (covers(range, other) && at < otherAt)),
  );
}
