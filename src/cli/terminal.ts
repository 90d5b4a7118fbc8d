import type { Readable, Writable } from 'node:stream';

/** The streams and the environment of a process: `process` itself, or what a test makes up. */
export interface ProcessLike {
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: NodeJS.ProcessEnv;
}

export type Paint = (text: string) => string;

/** Results go to standard output; everything that is said about the work goes to standard error. */
export class Terminal {
  readonly green: Paint;
  readonly yellow: Paint;
  readonly red: Paint;
  readonly gray: Paint;
  /** The line of progress that is to be wiped before anything else is written. */
  private transient = false;

  constructor(readonly streams: ProcessLike) {
    const { stdout, stderr, env } = streams;
    const coloured = stdout.isTTY === true && stderr.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
    const paint = (code: number) => (text: string) => (coloured ? `\x1b[${code}m${text}\x1b[0m` : text);
    [this.green, this.yellow, this.red, this.gray] = [paint(32), paint(33), paint(31), paint(90)];
    // A reader that goes away (`pixels list | head -1`) is no failure of ours.
    for (const stream of [stdout, stderr]) stream.on('error', () => undefined);
  }

  /** Somebody is there to be asked. */
  get canAsk(): boolean {
    return this.streams.stdin.isTTY === true && this.streams.stderr.isTTY === true;
  }

  /** A result. */
  print(text: string): void {
    this.wipe();
    this.streams.stdout.write(text);
  }

  /** A line about the work. */
  say(line: string): void {
    this.wipe();
    this.streams.stderr.write(`${line}\n`);
  }

  /** The line of progress: replaced by the next one where the terminal can do that. */
  progress(line: string): void {
    const { stderr } = this.streams;
    if (!stderr.isTTY) {
      this.say(line);
      return;
    }
    stderr.write(`\r\x1b[2K${this.gray(line.slice(0, (stderr.columns ?? 80) - 1))}`);
    this.transient = true;
  }

  wipe(): void {
    if (this.transient) this.streams.stderr.write('\r\x1b[2K');
    this.transient = false;
  }

  /** Resolves when the system has taken everything that was written, or nobody reads it any more. */
  async flush(): Promise<void> {
    const { stdout, stderr } = this.streams;
    await Promise.all([stdout, stderr].map((stream) => new Promise((resolve) => void stream.write('', resolve))));
  }

  /** Asks a question that is answered with yes or no; the default is no. */
  async confirm(question: string, signal: AbortSignal): Promise<boolean> {
    this.wipe();
    const { createInterface } = await import('node:readline/promises');
    const { stdin: input, stderr: output } = this.streams;
    const lines = createInterface({ input, output });
    const ended = new AbortController();
    lines.once('close', () => ended.abort()).once('SIGINT', () => lines.close());
    try {
      const answer = await lines.question(`${question} [y/N] `, { signal: AbortSignal.any([signal, ended.signal]) });
      return /^y(es)?$/i.test(answer.trim());
    } catch {
      return false; // the input ended, or Ctrl-C
    } finally {
      lines.close();
    }
  }
}
