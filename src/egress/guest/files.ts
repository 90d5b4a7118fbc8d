import { createHash } from 'node:crypto';
import type { GuestFile } from '../../sandbox/host';
import type { Policy } from '../policy';
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

/** @throws PixelsError `invalid` for what cannot be enforced. */
export function guestPolicy(policy: Policy, preset: Preset): GuestPolicy {
  const rules = rulesOf(policy, preset);
  const resolver = rules && renderResolver(rules, { serversFile: SERVERS_FILE, user: RESOLVER_USER });
  const mark = rules === undefined ? 'open' : hashOf(renderRuleset(rules, ''), resolver?.config, resolver?.asked);
  const data = {
    mark: `${mark}\n`,
    'ruleset.nft': rules === undefined ? '' : renderRuleset(rules, mark),
    'resolver.conf': resolver?.config ?? '',
    asked: resolver?.asked ?? '',
  };
  const files = [
    { path: SCRIPT, content: script, mode: 0o755 },
    ...Object.entries(UNITS).map(([path, content]) => ({ path, content, mode: 0o644 })),
    ...sudoFiles(rules !== undefined),
    ...Object.entries(data).map(([name, content]) => ({ path: `${DIRECTORY}/${name}`, content, mode: 0o644 })),
  ];
  const seal = `${hashOf(...files.map(({ content }) => content))}\n`;
  return { mark, files: [...files, { path: `${DIRECTORY}/seal`, content: seal, mode: 0o644 }] };
}

function hashOf(...texts: readonly (string | undefined)[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 32);
}
