import { isKind, PixelsError } from '../../sandbox/errors';
import { outputOf, outputOfSession } from '../../sandbox/exec';
import type { GatewayHost, GatewaySpec } from '../../sandbox/gateway';
import type { Run, SandboxHost } from '../../sandbox/host';
import type { SandboxName } from '../../sandbox/name';
import { appliedMark, applyScript } from '../applyScript';
import type { PolicyEnforcement } from '../enforcement';
import { DIRECTORY as GUEST_DIRECTORY } from '../guest/units';
import { newPolicy, readPolicy, type Policy } from '../policy';
import type { Preset } from '../preset';
import { parseRefusals } from '../refusals';
import { RUN, SCRIPT } from './places';
import type { Attached } from './ruleset';

/** A gateway that was made for another version is made anew. To be raised when something about its devices or config changes. */
const VERSION = '1';

/** What a gateway is made of. */
export type GatewayIngredients = Omit<GatewaySpec, 'version'>;

export interface GatewayOptions {
  readonly preset: () => Promise<Preset>;
  readonly ingredients: () => Promise<GatewayIngredients>;
  /** For what a sandbox may still have in itself. */
  readonly guest: PolicyEnforcement;
}

/** {@link PolicyEnforcement} outside the sandbox, and what is left to do when a sandbox is no more behind the gateway. */
export interface GatewayEnforcement extends PolicyEnforcement {
  /** The gateway forgets it, and goes when that was the last one. */
  release(host: SandboxHost, name: SandboxName, run: Run): Promise<void>;
}

/** Enforcement by a gateway that is the sandbox's only way out. What anybody does inside, root or not, changes nothing of it. */
export function gatewayEnforcement({ preset, ingredients, guest }: GatewayOptions): GatewayEnforcement {
  const rendered = async (policy: Policy, attached: Attached) => {
    const { gatewayPolicy } = await import('./files');
    return gatewayPolicy(policy, await preset(), attached);
  };
  const apply = async (gateway: GatewayHost, policy: Policy, attached: Attached, run: Run): Promise<void> => {
    const { mark, files } = await rendered(policy, attached);
    const script = applyScript(files, { run: RUN, command: `sh ${SCRIPT} apply ${attached.name}` });
    const output = await outputOfSession(await gateway.exec({ command: ['sh', '-s'] }, run.signal), script);
    if (appliedMark(output, 'In the gateway') === mark) return;
    throw new PixelsError('failed', `In the gateway: another policy is in force for ${attached.name} than was wanted.`);
  };
  /** A gateway that was made anew knows nobody. What cannot be told it now is told it when that sandbox is seen to. */
  const applyOthers = async (host: SandboxHost, gateway: GatewayHost, name: SandboxName, run: Run): Promise<void> => {
    for (const { name: other, state, isBehindGateway } of await host.list(run.signal)) {
      if (other === name || isBehindGateway !== true || state.egress === undefined) continue;
      const address = await gateway.addressOf(other, run.signal);
      if (address === undefined) continue;
      await apply(gateway, readPolicy(state.egress), { name: other, address }, run).catch((error: unknown) => {
        if (isKind(error, 'cancelled')) throw error;
      });
    }
  };
  const place: PolicyEnforcement['place'] = async (host, name, policy, run) => {
    const gateway = gatewayOf(host);
    const address = await gateway.attach(name, run);
    const isNew = await gateway.ensure({ ...(await ingredients()), version: VERSION }, run);
    await apply(gateway, policy, { name, address }, run);
    if (isNew) await applyOthers(host, gateway, name, run);
  };
  const output = async (host: SandboxHost, verb: string, name: SandboxName, signal?: AbortSignal): Promise<string> => {
    const session = await gatewayOf(host).exec({ command: ['sh', SCRIPT, verb, name] }, signal);
    return (await outputOfSession(session)).stdout;
  };
  return {
    async check(host, policy, signal) {
      const lack = host.gateway === undefined ? NEEDS_INCUS : await host.gateway.lack(signal);
      if (lack !== undefined) {
        throw new PixelsError('unsupported', lack, { hint: 'Choose the enforcement "guest", or "auto".' });
      }
      await rendered(policy, { name: 'any' as SandboxName, address: '198.18.0.2' });
    },
    place,
    async enforce(host, name, policy, run) {
      run.onProgress?.({ message: `Putting the egress policy of ${name} in force` });
      await place(host, name, policy, run);
      await openInside(host, name, guest, run);
    },
    async isInForce(host, name, policy, signal) {
      const address = await gatewayOf(host).addressOf(name, signal);
      if (address === undefined) return false;
      const { mark } = await rendered(policy, { name, address });
      const state = await output(host, 'state', name, signal).catch(ifGone);
      return state?.trim() === `${mark}\nactive`;
    },
    async refusals(host, name, signal) {
      return parseRefusals(await output(host, 'refused', name, signal), new Date());
    },
    async release(host, name, run) {
      const { signal, ...onward } = run;
      await output(host, 'remove', name, signal).catch(ifGone);
      await gatewayOf(host).removeUnused(onward);
    },
  };
}

const NEEDS_INCUS = 'Gateway enforcement needs Incus: this server has no networks of its own for sandboxes.';

function gatewayOf({ gateway }: SandboxHost): GatewayHost {
  if (gateway !== undefined) return gateway;
  throw new PixelsError('unsupported', NEEDS_INCUS);
}

/**
 * A sandbox may still have rules of its own, from a time when it was under guest enforcement, or from a checkpoint of then; and its
 * resolver may remember names as they were under another policy.
 */
async function openInside(host: SandboxHost, name: SandboxName, guest: PolicyEnforcement, run: Run): Promise<void> {
  const script = `systemctl kill -s USR2 systemd-resolved.service >/dev/null 2>&1; [ -s ${GUEST_DIRECTORY}/ruleset.nft ]`;
  const { exitCode } = await outputOf(host, name, { command: ['sh', '-c', script] }, run.signal);
  if (exitCode === 0) await guest.enforce(host, name, newPolicy('unrestricted'), run);
}

/** Where there is no gateway, nothing passes. */
function ifGone(error: unknown): undefined {
  if (!isKind(error, 'not-found') && !isKind(error, 'wrong-state')) throw error;
}
