import { cancelled } from '../../sandbox/errors';
import type { Log } from '../../sandbox/log';

/** How long a person who has cancelled waits at most. */
const PATIENCE_MS = 30_000;

/**
 * Does what the server cannot stop half-way, such as making an instance: when it is cancelled meanwhile, it comes to
 * its end and is undone. That may go on in the background after 30 s; then what it makes stays marked until it is
 * undone.
 * @throws PixelsError `cancelled`, and what `work` throws.
 */
export async function undoneWhenCancelled(
  signal: AbortSignal | undefined,
  log: Log,
  work: () => Promise<void>,
  undo: () => Promise<void>,
): Promise<void> {
  if (signal === undefined) return work();
  if (signal.aborted) throw cancelled();
  const end = finish(signal, work, undo);
  const patience = new Patience(signal);
  try {
    if ((await Promise.race([end, patience.over])) !== 'over') return;
  } finally {
    patience.end();
  }
  log.info('cancelled, but TrueNAS is still at it: it will be undone when it has finished');
  end.catch((error: unknown) => log.debug(`after it was cancelled: ${String(error)}`));
  throw cancelled();
}

async function finish(signal: AbortSignal, work: () => Promise<void>, undo: () => Promise<void>): Promise<void> {
  await work();
  if (!signal.aborted) return;
  await undo();
  throw cancelled();
}

/** Begins when the signal is aborted. */
class Patience {
  readonly over: Promise<'over'>;
  private timer: NodeJS.Timeout | undefined;
  private begin: () => void = () => undefined;

  constructor(private readonly signal: AbortSignal) {
    this.over = new Promise((resolve) => {
      this.begin = () => (this.timer = setTimeout(() => resolve('over'), PATIENCE_MS));
    });
    signal.addEventListener('abort', this.begin);
  }

  end(): void {
    clearTimeout(this.timer);
    this.signal.removeEventListener('abort', this.begin);
  }
}

/** @throws PixelsError `cancelled`. */
export function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw cancelled();
}
