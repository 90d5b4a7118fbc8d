import { instanceOfBase, READY, type BaseDefinition, type BaseName, type BaseRecord } from './base';
import { cancelled, isKind, PixelsError } from './errors';
import type { GuestSetup } from './guest';
import type { Progress, Run, SandboxHost, StopOptions } from './host';
import { isUnderWay, readMark, underMark, type Mark } from './mark';
import type { SandboxName } from './name';
import {
  currentStep,
  failedStep,
  writeProvisionRecord,
  type ProvisionProgress,
  type StepProgress,
} from './provisioning';
import type { Placement } from './sandbox';
import { removeIfMarked } from './undo';

/** What building a base needs of its surroundings. */
export interface BuildContext {
  readonly host: SandboxHost;
  /** Sets up a way in for nobody: without anybody's key. */
  readonly guest: GuestSetup;
  readonly placement: Placement;
}

/** Another machine takes a mark that is 15 minutes old for a dead process's: one that works on renews its own. */
const RENEW_MS = 5 * 60_000;

const FORCED: StopOptions = { force: true, timeoutMs: 30_000 };

/**
 * Makes the base, which must not be there, out of its parent, which must be: provisions it, takes out what is nobody else's
 * business, stops it and takes its checkpoint. Until then it is marked, and removed again when something fails or somebody
 * cancels; but when its recipe failed it stays, stopped, and says what failed.
 * @param hash of what it is made of.
 * @throws PixelsError `exists` where somebody else was first; `failed`.
 */
export async function buildBase(
  context: BuildContext,
  definition: BaseDefinition,
  hash: string,
  run: Run,
): Promise<void> {
  const { host } = context;
  const { name, parent, recipe } = definition;
  const instance = instanceOfBase(name);
  await underMark(parent === undefined ? 'create' : 'clone', { recipe }, async (mark) => {
    const building: BaseRecord = { name, hash, recipe, outcome: 'building', since: Date.now() };
    const renewing = setInterval(() => void renew(host, instance, mark), RENEW_MS);
    try {
      await make(context, definition, { mark: JSON.stringify(mark), base: JSON.stringify(building) }, run);
      const progress = await provision(context, definition, run);
      const outcome = progress.outcome === 'done' ? 'ready' : 'failed';
      if (outcome === 'ready') await complete(context, instance, run);
      else await host.stop(instance, FORCED, run);
      const failed = outcome === 'failed' ? failedStep(progress)?.title : undefined;
      await settle(host, instance, mark, { ...building, outcome, failed, since: Date.now() });
      if (outcome === 'failed') throw recipeFailed(name, failed, failedStep(progress)?.lastLines);
    } catch (error) {
      await removeIfMarked(host, instance, mark);
      throw error;
    } finally {
      clearInterval(renewing);
    }
  });
}

/** The error of a base whose recipe failed, now or when somebody else built it. */
export function recipeFailed(name: BaseName, failed?: string, lines: readonly string[] = []): PixelsError {
  const what = failed === undefined ? 'its recipe was ended from outside' : `installing ${failed} failed`;
  const shown = lines.map((line) => `\n  ${line}`).join('');
  return new PixelsError('failed', `The base ${name} could not be built: ${what}.${shown}`, {
    hint: `"pixels base build ${name}" tries again.`,
  });
}

async function make(
  { host, guest, placement }: BuildContext,
  { name, parent, image }: BaseDefinition,
  state: { readonly mark: string; readonly base: string },
  run: Run,
): Promise<void> {
  const instance = instanceOfBase(name);
  const from = parent === undefined ? image : `the base ${parent}`;
  run.onProgress?.({ message: `Making the base ${name} from ${from}` });
  if (parent === undefined) await host.create({ name: instance, image, limits: {}, placement, state }, run);
  else {
    const source = { name: instanceOfBase(parent), label: READY };
    await host.copy({ name: instance, source, limits: {}, state }, run);
  }
  await host.start(instance, run);
  await guest.setUpAccess(host, instance, { newHostKey: parent !== undefined }, run);
}

async function provision(
  { host, guest: { recipes } }: BuildContext,
  { name, recipe }: BaseDefinition,
  run: Run,
): Promise<ProvisionProgress> {
  const instance = instanceOfBase(name);
  const record = await recipes.begin(host, instance, recipe, run);
  const tell = (progress: ProvisionProgress): void => {
    const step = currentStep(progress);
    if (step !== undefined) run.onProgress?.(progressOf(name, step, progress.stepCount));
  };
  const progress = await recipes.follow(host, instance, tell, run.signal);
  if (progress?.outcome !== 'done' && progress?.outcome !== 'failed') {
    throw new PixelsError('failed', `The base ${name} was stopped while it was being built.`);
  }
  // What is cloned from it has this recipe done.
  if (progress.outcome === 'done') {
    const done = writeProvisionRecord({ ...record, outcome: 'done' });
    await host.updateState(instance, () => ({ provision: done }), run.signal);
  }
  return progress;
}

async function complete({ host, guest }: BuildContext, instance: SandboxName, run: Run): Promise<void> {
  run.onProgress?.({ message: 'Taking its checkpoint' });
  await guest.seal(host, instance, run);
  await host.stop(instance, { force: false, timeoutMs: 30_000 }, run).catch((error: unknown) => {
    if (!isKind(error, 'timeout')) throw error;
    return host.stop(instance, FORCED, run); // something in it does not want to end; all is written by now
  });
  await host.createCheckpoint(instance, READY, run);
  if (run.signal?.aborted === true) throw cancelled();
}

/** Not to be cancelled: without its mark the base is finished. */
async function settle(host: SandboxHost, instance: SandboxName, mark: Mark, record: BaseRecord): Promise<void> {
  await host.updateState(instance, (state) => {
    if (readMark(state)?.id === mark.id) return { mark: null, base: JSON.stringify(record) };
    throw new PixelsError('busy', `Somebody else has taken over the base ${record.name}.`);
  });
}

/** Nothing depends on this one time: the next one comes. */
async function renew(host: SandboxHost, instance: SandboxName, mark: Mark): Promise<void> {
  const renewed = JSON.stringify({ ...mark, since: Date.now() });
  await host
    .updateState(instance, (state) => (readMark(state)?.id === mark.id && isUnderWay(mark) ? { mark: renewed } : {}))
    .catch(() => undefined);
}

function progressOf(name: BaseName, { title, number, retries }: StepProgress, stepCount: number): Progress {
  const again = retries === 0 ? '' : `, try ${retries + 1}`;
  return { message: `Building the base ${name}: installing ${title}, ${number} of ${stepCount}${again}` };
}
