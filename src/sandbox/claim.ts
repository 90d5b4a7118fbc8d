import { cancelled, isKind, type ErrorKind } from './errors';
import type { SandboxHost } from './host';
import { readMark, refuseIfUnderWay, type Mark } from './mark';
import type { SandboxName } from './name';
import { undoInTime, unlessAborted } from './undo';

/** The server has said no, and done nothing. */
const REFUSALS: readonly ErrorKind[] = ['wrong-state', 'unsupported', 'forbidden', 'invalid', 'not-found'];

/** Whether an error says that the server has not even begun with what it was asked for. */
export function isRefused(error: unknown): boolean {
  return isKind(error, ...REFUSALS);
}

/**
 * Puts a mark on the sandbox, or fails when another process is at work on it. The server decides who was first.
 * When it fails in any other way, or is cancelled, the server may have taken the mark all the same, or be about to; then it is
 * taken off again, so that the next start does not go on with what nobody wants any more.
 * @returns what puts back the mark that was there before, or none.
 * @throws PixelsError `busy`, `not-found`.
 */
export async function claim(
  host: SandboxHost,
  name: SandboxName,
  mark: Mark,
  signal?: AbortSignal,
): Promise<() => Promise<void>> {
  if (signal?.aborted === true) throw cancelled();
  const text = JSON.stringify(mark);
  let before: string | undefined;
  const giveBack = (): Promise<void> =>
    host.updateState(name, (state) => (state.mark === text ? { mark: before ?? null } : {}));
  const writing = host.updateState(name, (state) => {
    // The server may have taken it and its answer got lost; then this is the second try.
    if (state.mark !== text) {
      refuseIfUnderWay(name, readMark(state));
      before = state.mark;
    }
    return { mark: text };
  });
  try {
    await unlessAborted(writing, signal);
  } catch (error) {
    if (!isRefused(error) && !isKind(error, 'busy')) {
      await undoInTime(async () => {
        await writing.catch(() => undefined);
        await giveBack();
      });
    }
    throw error;
  }
  return giveBack;
}
