import { claim, isRefused } from './claim';
import { isKind } from './errors';
import type { Run, SandboxHost, StopOptions } from './host';
import { refuseWithClones } from './linkedClones';
import { underMark } from './mark';
import type { SandboxName } from './name';
import type { SandboxState } from './sandbox';
import { undoInTime } from './undo';

const AT_ONCE: StopOptions = { force: true, timeoutMs: 30_000 };

/**
 * Stop, remove. Until the removal has begun everything can be undone, and is, when something fails or is cancelled; from then
 * on it can only go forward.
 * @param start starts it again as any start of this sandbox does.
 * @returns the state that it had.
 * @throws `not-found`, `busy`; `wrong-state` before anything is touched, when it has linked clones.
 */
export async function destroySandbox(
  host: SandboxHost,
  name: SandboxName,
  start: () => Promise<void>,
  run: Run,
): Promise<SandboxState> {
  await refuseWithClones(host, { name }, run.signal);
  const { status, state } = await host.get(name, run.signal);
  await underMark('destroy', {}, async (mark) => {
    const giveBack = await claim(host, name, mark, run.signal);
    let isBegun = false;
    try {
      await host.stop(name, AT_ONCE, run);
      isBegun = true;
      await host.destroy(name, run);
    } catch (error) {
      const isUntouched = !isBegun || (isRefused(error) && !isKind(error, 'not-found'));
      if (isUntouched) {
        await undoInTime(async () => {
          if (status === 'running') await start();
          await giveBack();
        });
      }
      throw error;
    }
  });
  return state;
}

/** Goes on with a removal whose process died, or that failed. Nothing is undone: who finishes it wants it. */
export async function resumeDestroy(host: SandboxHost, name: SandboxName, run: Run): Promise<void> {
  try {
    await underMark('destroy', {}, async (mark) => {
      await claim(host, name, mark, run.signal);
      await host.stop(name, AT_ONCE, run);
      await host.destroy(name, run);
    });
  } catch (error) {
    if (!isKind(error, 'not-found')) throw error; // the server had only just finished it by itself
  }
}
