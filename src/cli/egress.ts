import type { Pixels } from '../app/pixels';
import type { EgressMode, Enforcement, Policy } from '../egress';
import { PixelsError } from '../sandbox/errors';
import type { SandboxName } from '../sandbox/name';
import type { Cli } from './cli';
import { moment } from './format';

const WHERE: readonly Enforcement[] = ['guest', 'gateway'];
const MODES: readonly EgressMode[] = ['unrestricted', 'agent', 'allowlist'];

/** @throws PixelsError `invalid` that lists those there are. */
export function egressMode(typed: string): EgressMode {
  const mode = MODES.find((known) => known === typed);
  if (mode !== undefined) return mode;
  throw new PixelsError('invalid', `There is no egress mode "${typed}".`, { hint: `There are ${MODES.join(', ')}.` });
}

/** @throws PixelsError `invalid` that lists those there are. */
export function enforcementNamed(typed: string | undefined): Enforcement | undefined {
  const found = typed === undefined ? undefined : WHERE.find((known) => known === typed);
  if (found !== undefined || typed === undefined) return found;
  throw new PixelsError('invalid', `There is no enforcement "${typed}".`, {
    hint: `There are ${WHERE.join(' and ')}.`,
  });
}

/** Changes what a sandbox may reach, and says whether that is so now. */
export function changeEgress(
  cli: Cli,
  name: SandboxName,
  done: string,
  changeOf: (pixels: Pixels) => Promise<(policy: string | undefined) => string>,
): Promise<number> {
  return cli.use(async (pixels) => {
    const isInForce = await pixels.lifecycle.changeEgress(name, await changeOf(pixels), cli.run);
    cli.say(isInForce ? `${done}.` : `${done}, from its next start on.`);
    return 0;
  });
}

export type Change = { readonly how: 'allow'; readonly forMs?: number } | { readonly how: 'deny' };

/**
 * Changes the lists of a policy by each of the things that a person typed, with commas between.
 * @throws PixelsError `invalid`; `wrong-state` where everything may be reached.
 */
export async function changeEntries(cli: Cli, name: SandboxName, typed: string, change: Change): Promise<number> {
  const each = typed.split(',').filter((part) => part.trim() !== '');
  const until = change.how === 'allow' && change.forMs !== undefined ? new Date(Date.now() + change.forMs) : undefined;
  const time = until === undefined ? '' : `, until ${moment(until)}`;
  const done = change.how === 'allow' ? `${name} may reach ${typed}${time}` : `${name} may not reach ${typed}`;
  return changeEgress(cli, name, done, async ({ egress }) => {
    const [{ allowing, allowingUntil, denying, parseEntry, readPolicy, writePolicy }, preset] = await Promise.all([
      import('../egress'),
      egress.preset(),
    ]);
    const changed = (before: Policy, one: string): Policy => {
      if (change.how === 'deny') return denying(before, one, preset);
      return until === undefined ? allowing(before, one, preset) : allowingUntil(before, one, until, preset);
    };
    return (text) => {
      const policy = text === undefined ? undefined : readPolicy(text);
      if (policy === undefined || policy.mode === 'unrestricted') {
        throw new PixelsError('wrong-state', `${name} may reach everything.`, {
          hint: `Choose a mode first: pixels network set ${name} agent`,
        });
      }
      if (each.length === 0) parseEntry(typed);
      return writePolicy(each.reduce(changed, policy));
    };
  });
}
