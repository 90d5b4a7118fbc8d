import { cancelled, PixelsError, toPixelsError } from './errors';

/** One thing that somebody looked at on behalf of a person who wants to know whether everything is set up. */
export interface Check extends Finding {
  /** What was looked at, in one to three words: `Default profile`. */
  readonly title: string;
}

/** What was found. */
export interface Finding {
  /** `warning`: it works, but not all of it, or not as well as it could. */
  readonly verdict: 'ok' | 'warning' | 'failed';
  readonly sentence: string;
  /** What to do about it, also a sentence. */
  readonly advice?: string | undefined;
  /** Where it is about what one may do: all that Pixels does, and which of it. */
  readonly permissions?: readonly Permission[];
}

/** Something that Pixels does, and whether the server lets us. */
export interface Permission {
  /** `See sandboxes`. */
  readonly feature: string;
  readonly granted: boolean;
  /** What is missing for it, in the server's own words: `VIRT_INSTANCE_READ`. Empty when it is granted. */
  readonly lacks: readonly string[];
}

/** What a sandbox is going to be made of, and where. */
export interface Wanted {
  readonly image: string;
  readonly pool: string | undefined;
  readonly network: string | undefined;
}

/** However long it takes a server to say that it will not answer, a person is told after this long. */
const LIMIT_MS = 10_000;

/**
 * Looks, and says what was found. What `look` throws is a failed check; so is a look that takes longer than `limitMs`.
 * @param look gets a signal that is aborted when nobody waits any more.
 * @throws PixelsError only `cancelled`, when the signal aborts.
 */
export async function check(
  title: string,
  look: (signal: AbortSignal) => Promise<Finding>,
  { signal, limitMs = LIMIT_MS }: { readonly signal?: AbortSignal | undefined; readonly limitMs?: number } = {},
): Promise<Check> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), limitMs);
  const over = signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]);
  try {
    return { title, ...(await Promise.race([aborted(over), look(over)])) };
  } catch (thrown) {
    if (signal?.aborted === true) throw cancelled();
    return { title, ...failed(over.aborted ? tooLate(limitMs) : toPixelsError(thrown)) };
  } finally {
    clearTimeout(timer);
  }
}

/** All is well. */
export function ok(sentence: string): Finding {
  return { verdict: 'ok', sentence };
}

/** It could be better. */
export function warning(sentence: string, advice?: string): Finding {
  return { verdict: 'warning', sentence, ...(advice === undefined ? {} : { advice }) };
}

/** It does not work, for this reason. */
export function failed({ message, hint }: Pick<PixelsError, 'message' | 'hint'>): Finding {
  return { verdict: 'failed', sentence: message, ...(hint === undefined ? {} : { advice: hint }) };
}

function tooLate(limitMs: number): PixelsError {
  return new PixelsError('timeout', `There was no answer within ${Math.round(limitMs / 1000)} s.`);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(cancelled());
    else signal.addEventListener('abort', () => reject(cancelled()), { once: true });
  });
}
