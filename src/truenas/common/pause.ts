import { setTimeout as delay } from 'node:timers/promises';
import { cancelled } from '../../sandbox/errors';

/** @throws PixelsError `cancelled`. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch {
    throw cancelled();
  }
}
