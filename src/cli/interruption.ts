const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type InterruptSignal = (typeof SIGNALS)[number];

/** What the shell reports for a process that Ctrl-C ended. */
const EXIT_INTERRUPTED = 130;

/**
 * Ctrl-C, and a polite kill: the first one cancels, and what was done is undone; the second ends the process at once.
 * While a command in a sandbox runs, it gets the signals instead.
 */
export class Interruption {
  private readonly controller = new AbortController();
  private receiver: ((signal: InterruptSignal) => void) | undefined;
  readonly signal = this.controller.signal;

  /** @param onFirst says that it is being undone. */
  constructor(private readonly onFirst: () => void) {
    for (const signal of SIGNALS) process.on(signal, this.onSignal);
  }

  /** From now on signals go to `receiver`. */
  forwardTo(receiver: (signal: InterruptSignal) => void): void {
    this.receiver = receiver;
  }

  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.onSignal);
  }

  private readonly onSignal = (signal: InterruptSignal): void => {
    if (this.receiver !== undefined) this.receiver(signal);
    else if (this.signal.aborted) process.exit(EXIT_INTERRUPTED);
    else {
      this.onFirst();
      this.controller.abort();
    }
  };
}
