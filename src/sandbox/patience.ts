import { setTimeout as delay } from 'node:timers/promises';
import { isKind } from './errors';

const PATIENCE_MS = 20_000;
const PAUSE_MS = 200;

/**
 * Does something that may find the server still busy with the last step of a process that died, and tries again until
 * that has ended. Fails as `attempt` does after 20 s.
 */
export async function whenNotBusy(attempt: () => Promise<void>, signal?: AbortSignal): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (!isKind(error, 'busy') || Date.now() > deadline || signal?.aborted === true) throw error;
    }
    await delay(PAUSE_MS);
  }
}
