import { cancelled, type PixelsError } from '../sandbox/errors';

/** A timer for longer than this would go off at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What ends a wait before its time. */
export interface Patience {
  readonly signal?: AbortSignal | undefined;
  readonly limitMs?: number | undefined;
  readonly tooLate?: (() => PixelsError) | undefined;
}

/**
 * What the promise comes to, unless the signal aborts (kind `cancelled`) or the limit passes first. Ends the wait, not
 * the work.
 */
export function within<T>(promise: Promise<T>, { signal, limitMs, tooLate = cancelled }: Patience): Promise<T> {
  return new Promise((resolve, reject) => {
    const settle = (then: () => void): void => {
      clearTimeout(limit);
      signal?.removeEventListener('abort', abort);
      then();
    };
    const abort = (): void => settle(() => reject(cancelled()));
    const expire = (): void => settle(() => reject(tooLate()));
    const limit = limitMs === undefined || limitMs > LONGEST_TIMER_MS ? undefined : setTimeout(expire, limitMs);
    signal?.addEventListener('abort', abort);
    promise.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error instanceof Error ? error : new Error(String(error)))),
    );
    if (signal?.aborted === true) abort();
  });
}
