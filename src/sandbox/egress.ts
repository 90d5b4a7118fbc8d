import { isKind, PixelsError, sentence, toPixelsError } from './errors';
import type { Run, SandboxHost } from './host';
import type { SandboxName } from './name';
import type { SandboxState } from './sandbox';
import { undoInTime } from './undo';

/**
 * What the use cases need done so that what a sandbox may reach is what its state says (key `egress`, whose text only the egress room
 * reads). The domain says when; that room knows how.
 */
export interface EgressSetup {
  /**
   * What a new sandbox gets for which nobody has said anything else; undefined: it may reach everything.
   * @throws PixelsError `config`, `invalid`.
   */
  initial(host: SandboxHost): Promise<string | undefined>;

  /**
   * Makes sure that a policy can be enforced, before anything is done for it.
   * @throws PixelsError `protocol`, `config`, `invalid`, `unsupported`.
   */
  check(host: SandboxHost, policy: string, signal?: AbortSignal): Promise<void>;

  /** Puts a policy where a stopped sandbox finds it at its start, as far as the server can do that. */
  place(host: SandboxHost, name: SandboxName, policy: string, run: Run): Promise<void>;

  /**
   * Makes a policy that of a running sandbox; connections that it does not allow are cut. Doing it again changes nothing.
   * @throws PixelsError `failed` with the last line of what went wrong inside.
   */
  enforce(host: SandboxHost, name: SandboxName, policy: string, run: Run): Promise<void>;

  /** A policy under which everything may be reached. */
  readonly unrestricted: string;

  /**
   * What makes a policy into one that allows these things as well until then: domains and groups of the preset, `@system`. For the
   * set-up; what a person has denied stays denied.
   * @throws PixelsError `config`, `invalid`.
   */
  lender(needs: readonly string[], until: Date): Promise<(policy: string) => string>;

  /** The policy without what was lent to the set-up. @throws PixelsError `protocol`. */
  takeBack(policy: string): string;

  /** What is left to do for the policy of a sandbox that has been destroyed. */
  release(host: SandboxHost, name: SandboxName, policy: string, run: Run): Promise<void>;
}

/** What a start under a policy needs. */
export interface Guard {
  readonly host: SandboxHost;
  /** Undefined: there is nobody who could, and a sandbox with a policy is not started. */
  readonly egress: EgressSetup | undefined;
  /** Tells a running sandbox what it has to know before anything is downloaded in it. */
  readonly tell: (name: SandboxName, run: Run) => Promise<void>;
}

/**
 * Starts a sandbox under its policy, or not at all: when it cannot be put in force, the sandbox is stopped again. One that runs stays
 * running, and its policy is seen to.
 * @throws PixelsError what a start throws; `failed` for the policy.
 */
export async function startUnderPolicy({ host, egress, tell }: Guard, name: SandboxName, run: Run): Promise<void> {
  const { state, status } = await host.get(name, run.signal);
  const policy = state.egress;
  if (policy === undefined) return host.start(name, run);
  if (egress === undefined) {
    throw new PixelsError('unsupported', `${name} has an egress policy, which cannot be put in force from here.`);
  }
  await egress.check(host, policy, run.signal);
  if (status !== 'running') await egress.place(host, name, policy, run);
  await host.start(name, run);
  try {
    await tell(name, run);
    await egress.enforce(host, name, policy, run);
  } catch (error) {
    await stopUnguarded(host, name);
    throw isKind(error, 'cancelled') ? error : notInForce(name, error);
  }
}

/** Puts a stopped sandbox's policy into its files, which may be those of another time. */
export async function placePolicy({ host, egress }: Guard, name: SandboxName, run: Run): Promise<void> {
  const { state } = await host.get(name, run.signal);
  if (state.egress !== undefined) await egress?.place(host, name, state.egress, run);
}

/**
 * Writes another policy into a sandbox's state, and makes it so: at once where it runs, at its next start otherwise.
 * @param change from the policy of now, undefined where there never was one; may be called again.
 * @returns whether it is in force now.
 * @throws PixelsError what `change` throws, before anything is done; `cancelled`, after which all is as before; `failed` when it cannot
 * be put in force. The sandbox does not stay running then.
 */
export async function changePolicy(
  { host, egress }: Pick<Guard, 'host' | 'egress'>,
  name: SandboxName,
  change: (policy: string | undefined) => string,
  run: Run,
): Promise<boolean> {
  if (egress === undefined) throw new PixelsError('unsupported', 'Egress policies cannot be put in force from here.');
  let before = (await host.get(name, run.signal)).state.egress;
  let policy = change(before);
  await egress.check(host, policy, run.signal);
  await host.updateState(
    name,
    (state) => {
      before = state.egress;
      policy = change(before);
      return { egress: policy };
    },
    run.signal,
  );
  const { status } = await host.get(name, run.signal);
  if (status !== 'running') {
    await egress.place(host, name, policy, run);
    return false;
  }
  try {
    await egress.enforce(host, name, policy, run);
    return true;
  } catch (error) {
    if (isKind(error, 'cancelled') && (await goBack({ host, egress }, name, { from: policy, to: before }))) throw error;
    await stopUnguarded(host, name);
    throw notInForce(name, error);
  }
}

/** Who cancels a change wants what was before. @returns whether that is in force again. */
async function goBack(
  { host, egress }: { readonly host: SandboxHost; readonly egress: EgressSetup },
  name: SandboxName,
  { from, to }: { readonly from: string; readonly to: string | undefined },
): Promise<boolean> {
  let isBack = false;
  await undoInTime(async () => {
    await host.updateState(name, (state) => (state.egress === from ? { egress: to ?? null } : {}));
    await egress.enforce(host, name, (await host.get(name)).state.egress ?? egress.unrestricted, {});
    isBack = true;
  });
  return isBack;
}

/** How long a set-up has what it needs, when nobody sees it end. */
const LENT_FOR_MS = 60 * 60_000;

/**
 * Lets a restricted sandbox reach what its set-up needs as well, until {@link takeBack}, and at the longest for an hour.
 * @throws PixelsError as {@link changePolicy}.
 */
export async function lend(
  { host, egress }: Pick<Guard, 'host' | 'egress'>,
  name: SandboxName,
  needsOf: () => Promise<readonly string[]>,
  run: Run,
): Promise<void> {
  const { egress: policy } = (await host.get(name, run.signal)).state;
  if (policy === undefined || egress === undefined) return;
  const needs = await needsOf();
  if (needs.length === 0) return;
  const lent = await egress.lender(needs, new Date(Date.now() + LENT_FOR_MS));
  if (lent(policy) === policy) return;
  await changePolicy({ host, egress }, name, (now = policy) => lent(now), run);
}

/** Ends what was lent to a set-up. @throws PixelsError as {@link changePolicy}. */
export async function takeBack(
  { host, egress }: Pick<Guard, 'host' | 'egress'>,
  name: SandboxName,
  run: Run = {},
): Promise<void> {
  const { egress: policy } = (await host.get(name, run.signal)).state;
  if (policy === undefined || egress === undefined || egress.takeBack(policy) === policy) return;
  await changePolicy({ host, egress }, name, (now = policy) => egress.takeBack(now), run);
}

/** For the policy of a sandbox that is no more. Throws nothing: the next one that goes sees to what was left. */
export async function releasePolicy(
  { host, egress }: Pick<Guard, 'host' | 'egress'>,
  name: SandboxName,
  { egress: policy }: SandboxState,
): Promise<void> {
  if (policy !== undefined) await undoInTime(() => egress?.release(host, name, policy, {}) ?? Promise.resolve());
}

async function stopUnguarded(host: SandboxHost, name: SandboxName): Promise<void> {
  await undoInTime(() => host.stop(name, { force: true, timeoutMs: 30_000 }));
}

function notInForce(name: SandboxName, error: unknown): PixelsError {
  const reason = sentence(toPixelsError(error));
  return new PixelsError(
    'failed',
    `${name} was stopped, because its egress policy could not be put in force. ${reason}`,
    {
      hint: `Start ${name} to try again, or change the policy first.`,
      cause: error,
    },
  );
}
