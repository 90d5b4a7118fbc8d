import type { Log } from './log';

const HIDDEN = '********';

/** A shorter one says nothing of itself, and would be found everywhere. */
const SHORTEST = 4;

/** Values that no log may show. They only become more, so that one that was replaced stays hidden. */
export class HiddenValues {
  private readonly values = new Set<string>();

  /** Hides these from now on; those of less than 4 characters are passed over. */
  add(values: Iterable<string>): void {
    for (const value of values) if (value.length >= SHORTEST) this.values.add(value);
  }

  /** The text with asterisks in place of every hidden value, longest first: one may contain another. */
  hide(text: string): string {
    const longestFirst = [...this.values].sort((a, b) => b.length - a.length);
    return longestFirst.reduce((rest, value) => rest.replaceAll(value, HIDDEN), text);
  }

  /** A log that writes to `log` what is left. */
  guard(log: Log): Log {
    return {
      trace: (message) => log.trace(this.hide(message)),
      debug: (message) => log.debug(this.hide(message)),
      info: (message) => log.info(this.hide(message)),
      warn: (message) => log.warn(this.hide(message)),
      error: (message) => log.error(this.hide(message)),
    };
  }
}
