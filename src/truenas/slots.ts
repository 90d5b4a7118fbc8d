/** Lets a number of holders in at once, and the others one by one in the order they came. */
export class Slots {
  private free: number;
  private readonly queue = new Set<() => void>();

  constructor(count: number) {
    this.free = count;
  }

  /** A slot, to be given back by calling what is returned. Rejects with the signal's reason while it still waits. */
  take(signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const enter = (): void => {
        signal.removeEventListener('abort', leave);
        resolve(this.giveBackOnce());
      };
      const leave = (): void => {
        this.queue.delete(enter);
        reject(signal.reason as Error);
      };
      if (this.free > 0) {
        this.free--;
        enter();
        return;
      }
      this.queue.add(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  private giveBackOnce(): () => void {
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const next = this.queue.values().next();
      if (next.done === true) {
        this.free++;
        return;
      }
      this.queue.delete(next.value);
      next.value();
    };
  }
}
