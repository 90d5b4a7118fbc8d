import { createHash } from 'node:crypto';
import type { GuestFile } from '../../sandbox/host';
import { policyAt, type Policy } from '../policy';
import type { Preset } from '../preset';
import { renderResolver } from '../resolver';
import { rulesOf } from '../rules';
import { renderRuleset } from '../ruleset';
import script from './egress.sh';
import { sudoFiles } from './sudo';
import { RESOLVER_USER, SCRIPT, SERVERS_FILE, UNITS } from './units';

/** What a policy is inside a sandbox. */
export interface GuestPolicy {
  /** Tells one policy from another, as it is today: with today's groups. `open` where everything may be reached. */
  readonly mark: string;
  /** The last one is their seal (`SandboxHost.putFiles`). */
  readonly files: readonly GuestFile[];
}

const DIRECTORY = '/var/lib/pixels/egress';
const OPEN = 'open';

/**
 * A policy as it is at `now`, and what becomes of it by itself.
 * @throws PixelsError `invalid` for what cannot be enforced.
 */
export function guestPolicy(policy: Policy, preset: Preset, now = new Date()): GuestPolicy {
  const { mark, ruleset, resolver, asked } = phase(policy, preset, now);
  const data = { mark: `${mark}\n`, 'ruleset.nft': ruleset, 'resolver.conf': resolver, asked };
  const isOpen = mark === OPEN;
  const files = [
    { path: SCRIPT, content: script, mode: 0o755 },
    ...Object.entries(UNITS).map(([path, content]) => ({ path, content, mode: 0o644 })),
    ...sudoFiles(!isOpen),
    { path: `${DIRECTORY}/later`, content: isOpen ? '' : later(policy, preset, now), mode: 0o644 },
    ...Object.entries(data).map(([name, content]) => ({ path: `${DIRECTORY}/${name}`, content, mode: 0o644 })),
  ];
  const seal = `${hashOf(...files.map(({ content }) => content))}\n`;
  return { mark, files: [...files, { path: `${DIRECTORY}/seal`, content: seal, mode: 0o644 }] };
}

/** What is in force from one moment to the next change, as texts of files. */
interface Phase {
  readonly mark: string;
  readonly ruleset: string;
  readonly resolver: string;
  readonly asked: string;
}

function phase(policy: Policy, preset: Preset, time: Date): Phase {
  const rules = rulesOf(policyAt(policy, time), preset);
  if (rules === undefined) return { mark: OPEN, ruleset: '', resolver: '', asked: '' };
  const { config: resolver, asked } = renderResolver(rules, { serversFile: SERVERS_FILE, user: RESOLVER_USER });
  const mark = hashOf(renderRuleset(rules, ''), resolver, asked);
  return { mark, ruleset: renderRuleset(rules, mark), resolver, asked };
}

/**
 * A line for each time at which something that is allowed ends: the time in seconds since 1970, the mark, and the other three files in
 * base64, `-` for an empty one. egress.sh puts them in place then.
 */
function later(policy: Policy, preset: Preset, now: Date): string {
  const ends = policy.timed.map(({ until }) => until.getTime()).filter((end) => end > now.getTime());
  const base64 = (text: string): string => Buffer.from(text).toString('base64') || '-';
  return [...new Set(ends)]
    .sort((one, other) => one - other)
    .map((end) => {
      const { mark, ruleset, resolver, asked } = phase(policy, preset, new Date(end));
      return `${[end / 1000, mark, base64(ruleset), base64(resolver), base64(asked)].join(' ')}\n`;
    })
    .join('');
}

function hashOf(...texts: readonly (string | undefined)[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 32);
}
