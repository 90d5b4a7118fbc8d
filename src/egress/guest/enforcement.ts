import { PixelsError } from '../../sandbox/errors';
import { outputOf } from '../../sandbox/exec';
import type { SandboxHost } from '../../sandbox/host';
import type { SandboxName } from '../../sandbox/name';
import { appliedMark, applyScript } from '../applyScript';
import type { PolicyEnforcement } from '../enforcement';
import { OPEN } from '../phases';
import type { Policy } from '../policy';
import type { Preset } from '../preset';
import { parseRefusals } from '../refusals';
import type { GuestPolicy } from './files';
import { RUN, SCRIPT } from './units';

/** Enforcement inside the sandbox, by its own packet filter and resolver: on every server, and as long as nobody is root in there. */
export function guestEnforcement(preset: () => Promise<Preset>): PolicyEnforcement {
  const rendered = async (policy: Policy): Promise<GuestPolicy> => {
    const { guestPolicy } = await import('./files');
    return guestPolicy(policy, await preset());
  };
  return {
    async check(_host, policy) {
      await rendered(policy);
    },
    async place(host, name, policy, run) {
      await host.putFiles?.(name, (await rendered(policy)).files, run.signal);
    },
    async enforce(host, name, policy, run) {
      run.onProgress?.({ message: `Putting the egress policy of ${name} in force` });
      const { mark, files } = await rendered(policy);
      const script = applyScript(files, { run: RUN, command: `sh ${SCRIPT} apply` });
      const output = await outputOf(host, name, { command: ['sh', '-s'] }, run.signal, script);
      if (appliedMark(output, `Inside ${name}`) !== mark) {
        throw new PixelsError('failed', `Inside ${name}: another policy is in force than was wanted.`);
      }
    },
    async isInForce(host, name, policy, signal) {
      const [{ mark }, found] = await Promise.all([rendered(policy), stateOf(host, name, signal)]);
      return mark === OPEN ? found.mark === undefined : found.mark === mark && found.resolves;
    },
    async refusals(host, name, signal) {
      const { stdout } = await outputOf(host, name, { command: ifThere('refused') }, signal);
      return parseRefusals(stdout, new Date());
    },
  };
}

/** What is in force in a sandbox, as it says itself. `mark` undefined: nothing is, and everything can be reached. */
async function stateOf(
  host: SandboxHost,
  name: SandboxName,
  signal?: AbortSignal,
): Promise<{ readonly mark: string | undefined; readonly resolves: boolean }> {
  const { stdout } = await outputOf(host, name, { command: ifThere('state') }, signal);
  const lines = stdout.trim().split('\n');
  return { mark: lines.length > 1 ? lines[0] : undefined, resolves: lines.at(-1) === 'active' };
}

function ifThere(verb: string): readonly string[] {
  return ['sh', '-c', `[ ! -e ${SCRIPT} ] || exec sh ${SCRIPT} ${verb}`];
}
