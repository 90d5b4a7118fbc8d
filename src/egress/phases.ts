import { createHash } from 'node:crypto';
import { policyAt, type Policy } from './policy';
import type { Preset } from './preset';
import type { ResolverConfig } from './resolver';
import { rulesOf, type Rules } from './rules';

/** Texts that common.sh finds in a policy's directory, by file name. */
export type PolicyFiles = Readonly<Record<'mark' | 'ruleset.nft' | 'resolver.conf' | 'asked' | 'later', string>>;

/** How rules become texts where they are enforced. */
export interface Renderer {
  ruleset(rules: Rules, mark: string): string;
  resolver(rules: Rules): ResolverConfig;
}

/** The mark of a policy that lets everything through. */
export const OPEN = 'open';

/**
 * A policy as it is at `now`, and what becomes of it by itself.
 * @returns `mark`, which tells one policy from another, as it is today: with today's groups. {@link OPEN} where everything may be
 * reached; the other files are empty then.
 * @throws PixelsError `invalid` for what cannot be enforced.
 */
export function policyFiles(policy: Policy, preset: Preset, renderer: Renderer, now = new Date()): PolicyFiles {
  const { mark, ruleset, resolver, asked } = phase(policy, preset, renderer, now);
  return {
    later: mark === OPEN ? '' : later(policy, preset, renderer, now),
    mark: `${mark}\n`,
    'ruleset.nft': ruleset,
    'resolver.conf': resolver,
    asked,
  };
}

/** A short text that differs where any of these does. */
export function hashOf(...texts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 32);
}

/** What is in force from one moment to the next change, as texts of files. */
interface Phase {
  readonly mark: string;
  readonly ruleset: string;
  readonly resolver: string;
  readonly asked: string;
}

function phase(policy: Policy, preset: Preset, renderer: Renderer, time: Date): Phase {
  const rules = rulesOf(policyAt(policy, time), preset);
  if (rules === undefined) return { mark: OPEN, ruleset: '', resolver: '', asked: '' };
  const { config: resolver, asked } = renderer.resolver(rules);
  const mark = hashOf(renderer.ruleset(rules, ''), resolver, asked);
  return { mark, ruleset: renderer.ruleset(rules, mark), resolver, asked };
}

/**
 * A line for each time at which something that is allowed ends: the time in seconds since 1970, the mark, and the other three files in
 * base64, `-` for an empty one. common.sh puts them in place then.
 */
function later(policy: Policy, preset: Preset, renderer: Renderer, now: Date): string {
  const ends = policy.timed.map(({ until }) => until.getTime()).filter((end) => end > now.getTime());
  const base64 = (text: string): string => Buffer.from(text).toString('base64') || '-';
  return [...new Set(ends)]
    .sort((one, other) => one - other)
    .map((end) => {
      const { mark, ruleset, resolver, asked } = phase(policy, preset, renderer, new Date(end));
      return `${[end / 1000, mark, base64(ruleset), base64(resolver), base64(asked)].join(' ')}\n`;
    })
    .join('');
}
