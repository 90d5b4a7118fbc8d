import fs from 'node:fs/promises';
import type { EgressSetup } from '../sandbox/egress';
import { isKind, PixelsError } from '../sandbox/errors';
import { outputOf } from '../sandbox/exec';
import type { SandboxHost } from '../sandbox/host';
import type { SandboxName } from '../sandbox/name';
import { parseEntry, type Entry } from './entry';
import type { GuestPolicy } from './guest/files';
import { SCRIPT } from './guest/units';
import { newPolicy, readPolicy, writePolicy, type EgressMode } from './policy';
import { agentPreset, type Preset } from './preset';
import { parseRefusals, type Refusal } from './refusals';

export interface EgressOptions {
  /** The person's own groups; the file may be missing. */
  readonly presetFile: string;
  /** For new sandboxes: `[network]` of the configuration. */
  readonly mode: EgressMode;
  readonly allow: readonly string[];
}

/** What is in force in a sandbox, as it says itself. */
export interface EgressState {
  /** {@link GuestPolicy.mark}; undefined: nothing is, and everything can be reached. */
  readonly mark: string | undefined;
  /** Whether names are answered. */
  readonly resolves: boolean;
}

/** {@link EgressSetup}, and what the faces need to speak about policies. */
export interface Egress extends EgressSetup {
  /** @throws PixelsError `config`. */
  preset(): Promise<Preset>;
  /** The text of a policy of that mode for a new sandbox, with the entries of the configuration. @throws PixelsError `config`. */
  policyOf(mode: EgressMode): string;
  /** The mark that a policy has when it is in force. */
  markOf(policy: string): Promise<string>;
  /** @throws what {@link SandboxHost.exec} throws. */
  state(host: SandboxHost, name: SandboxName, signal?: AbortSignal): Promise<EgressState>;
  /** Whether a sandbox has a policy that leaves anything out. @throws PixelsError `not-found`, `protocol`. */
  isRestricted(host: SandboxHost, name: SandboxName, signal?: AbortSignal): Promise<boolean>;
  /** What a running sandbox wanted to reach within a day and could not, the latest first. @throws what {@link SandboxHost.exec} throws. */
  refusals(host: SandboxHost, name: SandboxName, signal?: AbortSignal): Promise<readonly Refusal[]>;
  /** Whether a running sandbox may reach exactly what this policy says. @throws what {@link SandboxHost.exec} throws. */
  isInForce(host: SandboxHost, name: SandboxName, policy: string, signal?: AbortSignal): Promise<boolean>;
}

/** Enforcement inside the sandbox, by files and units of egress/guest/. */
export function guestEgress({ presetFile, mode, allow }: EgressOptions): Egress {
  const preset = async (): Promise<Preset> => agentPreset(await ownFile(presetFile));
  const policyOf = (wanted: EgressMode): string => writePolicy(newPolicy(wanted, allow.map(configured)));
  const rendered = async (policy: string): Promise<GuestPolicy> => {
    const { guestPolicy } = await import('./guest/files');
    return guestPolicy(readPolicy(policy), await preset());
  };
  const markOf = async (policy: string): Promise<string> => (await rendered(policy)).mark;
  const state: Egress['state'] = async (host, name, signal) => {
    const command = ['sh', '-c', `[ ! -e ${SCRIPT} ] || exec sh ${SCRIPT} state`];
    const { stdout } = await outputOf(host, name, { command }, signal);
    const lines = stdout.trim().split('\n');
    const mark = lines.length > 1 ? lines[0] : undefined;
    return { mark, resolves: lines.at(-1) === 'active' };
  };
  return {
    preset,
    policyOf,
    initial: () => Promise.resolve(mode === 'unrestricted' ? undefined : policyOf(mode)),
    async check(policy) {
      await rendered(policy);
    },
    markOf,
    async place(host, name, policy, run) {
      await host.putFiles?.(name, (await rendered(policy)).files, run.signal);
    },
    async enforce(host, name, policy, run) {
      run.onProgress?.({ message: `Putting the egress policy of ${name} in force` });
      const { mark, files } = await rendered(policy);
      const { applyScript } = await import('./guest/applyScript');
      const { exitCode, stdout, stderr } = await outputOf(
        host,
        name,
        { command: ['sh', '-s'] },
        run.signal,
        applyScript(files),
      );
      if (exitCode === 0 && stdout.trim().split('\n').at(-1) === mark) return;
      const last = stderr.trim().split('\n').at(-1) ?? '';
      const reason = last === '' ? `it ended with code ${exitCode}` : last.replace(/^pixels: /, '');
      throw new PixelsError('failed', `Inside ${name}: ${reason.replace(/\.$/, '')}.`, {
        cause: new Error(`egress.sh ended with ${exitCode}: ${stderr}${stdout}`),
      });
    },
    state,
    async isRestricted(host, name, signal) {
      const { egress } = (await host.get(name, signal)).state;
      return egress !== undefined && readPolicy(egress).mode !== 'unrestricted';
    },
    async refusals(host, name, signal) {
      const command = ['sh', '-c', `[ ! -e ${SCRIPT} ] || exec sh ${SCRIPT} refused`];
      const { stdout } = await outputOf(host, name, { command }, signal);
      return parseRefusals(stdout, new Date());
    },
    async isInForce(host, name, policy, signal) {
      const [wanted, found] = await Promise.all([markOf(policy), state(host, name, signal)]);
      return wanted === 'open' ? found.mark === undefined : found.mark === wanted && found.resolves;
    },
  };
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
