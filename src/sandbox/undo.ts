import { setTimeout as delay } from 'node:timers/promises';
import { cancelled } from './errors';
import type { SandboxHost } from './host';
import { readMark, type Mark } from './mark';
import type { SandboxName } from './name';

/** How long a person waits for something to be undone. */
const PATIENCE_MS = 30_000;

/**
 * Undoes the making of a sandbox or base: only what carries exactly this mark is removed. Does not listen to any abort signal and
 * throws nothing.
 */
export async function removeIfMarked(host: SandboxHost, name: SandboxName, mark: Mark): Promise<void> {
  await undoInTime(async () => {
    const { state } = await host.get(name);
    if (readMark(state)?.id !== mark.id) return;
    await host.stop(name, { force: true, timeoutMs: 30_000 });
    await host.destroy(name);
  });
}

/**
 * Undoes what cannot be finished. That may go on after 30 s, when nobody waits for it any more. Throws nothing: what cannot
 * be undone stays marked, and the error that led here is the one to tell.
 */
export async function undoInTime(undo: () => Promise<unknown>, patienceMs = PATIENCE_MS): Promise<void> {
  const end = new AbortController();
  const patience = delay(patienceMs, undefined, { ref: false, signal: end.signal });
  await Promise.race([undo(), patience]).catch(() => undefined);
  end.abort();
  await patience.catch(() => undefined);
}

/** Like the promise; an aborted signal ends the wait with kind `cancelled`, not the work. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(cancelled());
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (abort !== undefined) signal.removeEventListener('abort', abort);
  }
}
