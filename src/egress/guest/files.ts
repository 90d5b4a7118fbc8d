import type { GuestFile } from '../../sandbox/host';
import common from '../common.sh';
import { hashOf, OPEN, policyFiles, type Renderer } from '../phases';
import type { Policy } from '../policy';
import type { Preset } from '../preset';
import { renderResolver } from '../resolver';
import script from './egress.sh';
import { RESOLVER_PORTS, renderRuleset, TABLE } from './ruleset';
import { sudoFiles } from './sudo';
import { DIRECTORY, RESOLVER_USER, SCRIPT, SERVERS_FILE, UNITS } from './units';

/** What a policy is inside a sandbox. */
export interface GuestPolicy {
  /** Of `policyFiles`. */
  readonly mark: string;
  /** The last one is their seal (`SandboxHost.putFiles`). */
  readonly files: readonly GuestFile[];
}

const renderer: Renderer = {
  ruleset: renderRuleset,
  resolver: (rules) =>
    renderResolver(rules, {
      ports: RESOLVER_PORTS,
      table: TABLE,
      serversFile: SERVERS_FILE,
      user: RESOLVER_USER,
    }),
};

/**
 * A policy as it is at `now`, and what becomes of it by itself.
 * @throws PixelsError `invalid` for what cannot be enforced.
 */
export function guestPolicy(policy: Policy, preset: Preset, now = new Date()): GuestPolicy {
  const data = policyFiles(policy, preset, renderer, now);
  const mark = data.mark.trim();
  const files = [
    { path: SCRIPT, content: common + script, mode: 0o755 },
    ...Object.entries(UNITS).map(([path, content]) => ({ path, content, mode: 0o644 })),
    ...sudoFiles(mark !== OPEN),
    ...Object.entries(data).map(([name, content]) => ({ path: `${DIRECTORY}/${name}`, content, mode: 0o644 })),
  ];
  const seal = `${hashOf(...files.map(({ content }) => content))}\n`;
  return { mark, files: [...files, { path: `${DIRECTORY}/seal`, content: seal, mode: 0o644 }] };
}
