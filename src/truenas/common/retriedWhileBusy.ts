import { isKind } from '../../sandbox/errors';
import { pause } from './pause';

/** The server may still be busy with a dataset for a moment after a stop. */
const TRIES = 3;
const PAUSE_MS = 2_000;

/** Does something that may be refused with kind `busy` because of what has just been done, a few times. */
export async function retriedWhileBusy(action: () => Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await action();
      return;
    } catch (error) {
      if (!isKind(error, 'busy') || tries === TRIES) throw error;
    }
    await pause(PAUSE_MS, signal);
  }
}
