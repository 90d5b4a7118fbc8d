import { claim, isRefused } from './claim';
import { isKind, PixelsError } from './errors';
import type { Run, SandboxHost } from './host';
import { requireCapability } from './lacks';
import { underMark, type Mark } from './mark';
import { isSafetyLabel, safetyLabel, type CheckpointLabel, type SandboxName } from './name';
import { undoInTime } from './undo';

/**
 * What a restore needs of its surroundings. `start` does it under the sandbox's policy, `place` puts that into a stopped one's files,
 * `complete` sets up access again and takes the mark off.
 */
export interface RestoreContext {
  readonly host: SandboxHost;
  readonly name: SandboxName;
  readonly run: Run;
  readonly start: () => Promise<void>;
  readonly place: () => Promise<void>;
  readonly complete: (mark: Mark) => Promise<unknown>;
}

/**
 * Safety checkpoint, stop, roll back, start, set up access. Until the rollback everything can be undone, and is, when
 * something fails or is cancelled, or when the server refuses the rollback; from then on it can only go forward.
 * @throws `not-found`, `unsupported` and whatever else forbids it before anything is touched; `busy`.
 */
export async function restoreCheckpoint(context: RestoreContext, label: CheckpointLabel): Promise<void> {
  const { host, name, run } = context;
  const canBeDone = host.lostByRollback(name, label, run.signal);
  canBeDone.catch(() => undefined); // there may be a better reason
  const [sandbox, labels, info] = await Promise.all([
    host.get(name, run.signal),
    host.labels(name, run.signal),
    host.info(run.signal),
  ]);
  requireCapability(info, 'checkpoints');
  refuseUnknownLabel(name, label, labels);
  await canBeDone;
  const details = {
    label,
    wasRunning: sandbox.status !== 'stopped',
    provision: sandbox.state.sshUser !== undefined,
    ...(info.rollbackDestroysNewer ? {} : { safety: safetyLabel(new Date()) }),
  };
  await underMark('restore', details, async (mark) => {
    const giveBack = await claim(host, name, mark, run.signal);
    let isBegun = false;
    try {
      await saveAndStop(context, mark);
      isBegun = true;
      await rollBack(context, mark);
    } catch (error) {
      if (!isBegun || isRefused(error)) await undoInTime(() => undo(context, mark, giveBack));
      throw error;
    }
    await startAgain(context, mark);
  });
}

/** Goes on with a restore whose process died. The safety checkpoint of the first try, if it got that far, is kept. */
export async function resumeRestore(context: RestoreContext, mark: Mark): Promise<void> {
  await saveAndStop(context, mark);
  await rollBack(context, mark);
  await startAgain(context, mark);
}

function refuseUnknownLabel(name: SandboxName, label: CheckpointLabel, labels: readonly CheckpointLabel[]): void {
  if (labels.includes(label)) return;
  const known = labels.join(', ');
  throw new PixelsError('not-found', `${name} has no checkpoint "${label}".`, {
    hint: known === '' ? 'It has none at all.' : `It has: ${known}.`,
  });
}

async function saveAndStop({ host, name, run }: RestoreContext, { safety }: Mark): Promise<void> {
  if (safety !== undefined) {
    run.onProgress?.({ message: 'Keeping the present state as a checkpoint' });
    try {
      await host.createCheckpoint(name, safety, run);
    } catch (error) {
      if (!isKind(error, 'exists')) throw error; // it is there: this is a resumed restore
    }
  }
  run.onProgress?.({ message: `Stopping ${name}` });
  await host.stop(name, { force: true, timeoutMs: 30_000 }, run);
}

async function rollBack({ host, name, run }: RestoreContext, { label }: Mark): Promise<void> {
  if (label === undefined) return;
  run.onProgress?.({ message: `Rolling back to ${label}` });
  // Without the abort signal: half a rollback is worse than a late answer.
  await host.rollback(name, label, { onProgress: run.onProgress });
}

async function startAgain({ host, name, run, start, place, complete }: RestoreContext, mark: Mark): Promise<void> {
  if (mark.wasRunning === false) {
    await place();
    await host.updateState(name, () => ({ mark: null }));
  } else {
    run.onProgress?.({ message: `Starting ${name}` });
    await start();
    await complete(mark);
  }
  await deleteOlderSafety(host, name, mark.safety);
}

async function undo({ host, name, start }: RestoreContext, mark: Mark, giveBack: () => Promise<void>): Promise<void> {
  if (mark.wasRunning === true) await start();
  await giveBack();
  if (mark.safety === undefined) return;
  try {
    await host.deleteCheckpoint(name, mark.safety);
  } catch (error) {
    if (!isKind(error, 'not-found')) throw error;
  }
}

/** One way back is kept: the newest. */
async function deleteOlderSafety(
  host: SandboxHost,
  name: SandboxName,
  keep: CheckpointLabel | undefined,
): Promise<void> {
  if (keep === undefined) return;
  for (const label of await host.labels(name)) {
    if (isSafetyLabel(label) && label !== keep) await host.deleteCheckpoint(name, label);
  }
}
