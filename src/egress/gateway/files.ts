import type { GuestFile } from '../../sandbox/host';
import common from '../common.sh';
import { hashOf, policyFiles, type Renderer } from '../phases';
import type { Policy } from '../policy';
import type { Preset } from '../preset';
import { renderResolver } from '../resolver';
import { gatewayMac, GATEWAY_NETWORK } from '../../sandbox/gateway';
import script from './gateway.sh';
import { BASE_FILE, POLICIES, resolverPort, RESOLVER_USER, RUN, SCRIPT } from './places';
import { BASE_RULESET, renderRuleset, tableOf, type Attached } from './ruleset';
import { UNITS } from './units';

/** What a sandbox's policy is in the gateway. */
export interface GatewayPolicy {
  /** Of `policyFiles`. */
  readonly mark: string;
  readonly files: readonly GuestFile[];
}

/**
 * A policy as it is at `now`, and what becomes of it by itself; and the gateway's own files, which are the same for all.
 * @throws PixelsError `invalid` for what cannot be enforced.
 */
export function gatewayPolicy(policy: Policy, preset: Preset, attached: Attached, now = new Date()): GatewayPolicy {
  const { name, address } = attached;
  const directory = `${POLICIES}/${name}`;
  const data = {
    ...policyFiles(policy, preset, rendererFor(attached), now),
    address: `${address}\n`,
    mac: `${gatewayMac(address)}\n`,
  };
  const files = [
    { path: SCRIPT, content: common + script, mode: 0o755 },
    { path: BASE_FILE, content: BASE_RULESET, mode: 0o644 },
    ...Object.entries(UNITS).map(([path, content]) => ({ path, content, mode: 0o644 })),
    ...Object.entries(data).map(([file, content]) => ({ path: `${directory}/${file}`, content, mode: 0o644 })),
  ];
  const seal = `${hashOf(...files.map(({ content }) => content))}\n`;
  return { mark: data.mark.trim(), files: [...files, { path: `${directory}/seal`, content: seal, mode: 0o644 }] };
}

function rendererFor(attached: Attached): Renderer {
  const { name, address } = attached;
  return {
    ruleset: (rules, mark) => renderRuleset(rules, mark, attached),
    resolver: (rules) =>
      renderResolver(rules, {
        ports: [`port=${resolverPort(address)}`, `listen-address=${GATEWAY_NETWORK.gateway}`],
        table: tableOf(name),
        serversFile: `${RUN}/${name}.servers`,
        user: RESOLVER_USER,
      }),
  };
}
