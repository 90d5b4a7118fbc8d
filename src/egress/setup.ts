import fs from 'node:fs/promises';
import type { EgressSetup } from '../sandbox/egress';
import { isKind, PixelsError } from '../sandbox/errors';
import type { SandboxHost } from '../sandbox/host';
import type { SandboxName } from '../sandbox/name';
import type { PolicyEnforcement } from './enforcement';
import { parseEntry, type Entry } from './entry';
import { gatewayEnforcement, type GatewayIngredients } from './gateway/enforcement';
import { guestEnforcement } from './guest/enforcement';
import {
  lending,
  newPolicy,
  takingBack,
  readPolicy,
  usesGateway,
  writePolicy,
  type EgressMode,
  type Enforcement,
  type Policy,
} from './policy';
import { agentPreset, type Preset } from './preset';
import type { Refusal } from './refusals';

export type { GatewayIngredients } from './gateway/enforcement';

export interface EgressOptions {
  /** The person's own groups; the file may be missing. */
  readonly presetFile: string;
  /** For new sandboxes: `[network]` of the configuration. */
  readonly mode: EgressMode;
  readonly allow: readonly string[];
  /** `auto`: the gateway where there can be one. */
  readonly enforcement: Enforcement | 'auto';
  /** Asked only when one is seen to. @throws PixelsError `config`. */
  readonly gateway: () => Promise<GatewayIngredients>;
}

/** {@link EgressSetup}, and what the faces need to speak about policies. */
export interface Egress extends EgressSetup {
  /** @throws PixelsError `config`. */
  preset(): Promise<Preset>;
  /**
   * The text of a policy of that mode for a new sandbox, with the entries of the configuration.
   * @param enforcement default: the configuration's.
   * @throws PixelsError `config`; what the server throws when it is asked for a gateway.
   */
  policyOf(host: SandboxHost, mode: EgressMode, enforcement?: Enforcement): Promise<string>;
  /** Whether a sandbox has a policy that leaves anything out. @throws PixelsError `not-found`, `protocol`. */
  isRestricted(host: SandboxHost, name: SandboxName, signal?: AbortSignal): Promise<boolean>;
  /**
   * What a running sandbox wanted to reach within a day and could not, the latest first.
   * A gateway that is not there any more is made again.
   * @throws PixelsError `not-found`, `wrong-state`, `protocol`; `failed` for the gateway.
   */
  refusals(host: SandboxHost, name: SandboxName, signal?: AbortSignal): Promise<readonly Refusal[]>;
  /** Whether a running sandbox may reach exactly what this policy says. @throws what {@link SandboxHost.exec} throws. */
  isInForce(host: SandboxHost, name: SandboxName, policy: string, signal?: AbortSignal): Promise<boolean>;
}

/** Policies, each enforced where it says itself. */
export function egressOf({ presetFile, mode, allow, enforcement, gateway: ingredients }: EgressOptions): Egress {
  const preset = async (): Promise<Preset> => agentPreset(await ownFile(presetFile));
  const guest = guestEnforcement(preset);
  const gateway = gatewayEnforcement({ preset, ingredients, guest });
  const enforcementOf = (policy: Policy): PolicyEnforcement => (usesGateway(policy) ? gateway : guest);
  const policyOf: Egress['policyOf'] = async (host, wanted, where) => {
    const entries = allow.map(configured);
    return writePolicy(newPolicy(wanted, entries, where ?? (await chosen(host, enforcement))));
  };
  /** For a sandbox that is not to be behind the gateway, or not any more. */
  const leave: EgressSetup['place'] = async (host, name, _policy, run) => {
    if (await host.gateway?.detach(name, run)) await gateway.release(host, name, run);
  };
  return {
    preset,
    policyOf,
    initial: (host) => (mode === 'unrestricted' ? Promise.resolve(undefined) : policyOf(host, mode)),
    async check(host, text, signal) {
      const policy = readPolicy(text);
      await enforcementOf(policy).check(host, policy, signal);
    },
    async place(host, name, text, run) {
      const policy = readPolicy(text);
      if (!usesGateway(policy)) await leave(host, name, text, run);
      await enforcementOf(policy).place(host, name, policy, run);
    },
    async enforce(host, name, text, run) {
      const policy = readPolicy(text);
      await enforcementOf(policy).enforce(host, name, policy, run);
      // Not before what is inside is in force.
      if (!usesGateway(policy)) await leave(host, name, text, run);
    },
    async release(host, name, text, run) {
      if (usesGateway(readPolicy(text))) await gateway.release(host, name, run);
    },
    unrestricted: writePolicy(newPolicy('unrestricted')),
    async lender(needs, until) {
      const groups = await preset();
      return (text) => {
        const policy = readPolicy(text);
        return policy.mode === 'unrestricted' ? text : writePolicy(lending(policy, needs, until, groups));
      };
    },
    takeBack: (text) => writePolicy(takingBack(readPolicy(text))),
    async isRestricted(host, name, signal) {
      const { egress } = (await host.get(name, signal)).state;
      return egress !== undefined && readPolicy(egress).mode !== 'unrestricted';
    },
    async refusals(host, name, signal) {
      const { egress } = (await host.get(name, signal)).state;
      const policy = egress === undefined ? newPolicy('unrestricted') : readPolicy(egress);
      if (!usesGateway(policy)) return guest.refusals(host, name, signal);
      try {
        return await gateway.refusals(host, name, signal);
      } catch (error) {
        if (!isKind(error, 'not-found') && !isKind(error, 'wrong-state')) throw error;
        // The gateway has been killed, or is gone: nothing passes until it is there again.
        await gateway.enforce(host, name, policy, { signal });
        return gateway.refusals(host, name, signal);
      }
    },
    isInForce(host, name, text, signal) {
      const policy = readPolicy(text);
      return enforcementOf(policy).isInForce(host, name, policy, signal);
    },
  };
}

async function chosen(host: SandboxHost, enforcement: EgressOptions['enforcement']): Promise<Enforcement> {
  if (enforcement !== 'auto') return enforcement;
  return host.gateway !== undefined && (await host.gateway.lack()) === undefined ? 'gateway' : 'guest';
}

function configured(typed: string): Entry {
  try {
    return parseEntry(typed);
  } catch (error) {
    if (!isKind(error, 'invalid')) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new PixelsError('config', `network.allow: ${error.message}`, { cause: error, ...hint });
  }
}

async function ownFile(file: string): Promise<{ text: string; where: string } | undefined> {
  try {
    return { text: await fs.readFile(file, 'utf8'), where: file };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new PixelsError('config', `${file} cannot be read (${code ?? 'unknown error'}).`, { cause: error });
  }
}
