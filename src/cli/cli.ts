import type { Pixels } from '../app/pixels';
import type { HiddenValues } from '../sandbox/hiddenValues';
import type { LoadedConfig } from '../config';
import type { Progress, Run } from '../sandbox/host';
import type { Log } from '../sandbox/log';
import type { GlobalFlags } from './globalOptions';
import type { Interruption } from './interruption';
import type { Terminal } from './terminal';

export interface CliOptions {
  readonly flags: GlobalFlags;
  readonly terminal: Terminal;
  readonly interruption: Interruption;
  /** Learns what the configuration has that --verbose must not print. */
  readonly hidden: HiddenValues;
  /** The directory with the built tunnels. */
  readonly dist: string;
}

/** What every command works with. */
export class Cli {
  readonly flags: GlobalFlags;
  readonly terminal: Terminal;
  readonly interruption: Interruption;
  readonly dist: string;
  /** For long actions: aborted by Ctrl-C, and says how far it is. */
  readonly run: Run;
  private lastProgress = '';

  constructor(private readonly options: CliOptions) {
    ({ flags: this.flags, terminal: this.terminal, interruption: this.interruption, dist: this.dist } = options);
    this.run = {
      signal: this.interruption.signal,
      ...(this.speaks ? { onProgress: (progress: Progress) => this.show(progress) } : {}),
    };
  }

  /** Whether a person is to be told how things go. */
  get speaks(): boolean {
    return !this.flags.json && !this.flags.quiet;
  }

  /** Tells a person something about the work, on standard error. */
  say(line: string): void {
    if (this.speaks) this.terminal.say(line);
  }

  /** Prints a result: as JSON, or as text. */
  print(json: unknown, text: () => string): void {
    this.terminal.print(this.flags.json ? `${JSON.stringify(json, null, 2)}\n` : text());
  }

  /**
   * Does something with the configured server. Loads the configuration, the adapter and all that only now.
   * @throws PixelsError `config` and what `work` throws.
   */
  async use<T>(work: (pixels: Pixels) => Promise<T>): Promise<T> {
    const [loaded, { openPixels }, surroundings] = await Promise.all([
      this.configuration(),
      import('../app/pixels'),
      this.surroundings(),
    ]);
    const { config, warnings } = loaded;
    for (const warning of warnings) this.say(`pixels: ${warning}`);
    if (config.truenas.insecureSkipVerify && this.speaks) await this.warnOfUnchecked(loaded);
    const pixels = await openPixels({ config, ...surroundings });
    try {
      return await work(pixels);
    } finally {
      pixels.close();
    }
  }

  /** The configuration, and above it what the flags say. @throws PixelsError `config`. */
  async configuration(): Promise<LoadedConfig> {
    const [{ loadConfig }, { secretValues }] = await Promise.all([import('../config'), import('../app/environment')]);
    const { config: file, socket, remote, project } = this.flags;
    const loaded = await loadConfig({ file, overrides: { incus: { socket, remote, project } } });
    this.options.hidden.add(secretValues(loaded.config));
    return loaded;
  }

  /** What the parts are opened with beside the configuration. */
  async surroundings(): Promise<{ readonly log: Log; readonly dist: string }> {
    const { dist } = this;
    if (!this.flags.verbose) return { log: (await import('../sandbox/log')).silentLog, dist };
    const { verboseLog } = await import('./verboseLog');
    return { log: this.options.hidden.guard(verboseLog(this.terminal)), dist };
  }

  /** Names the line that makes it a checked one; that costs one more connection, which the next commands do without. */
  private async warnOfUnchecked({ config, file }: LoadedConfig): Promise<void> {
    const { uncheckedTrueNas, uncheckedWarning } = await import('../app/uncheckedTrueNas');
    const endpoint = uncheckedTrueNas(config);
    if (endpoint === undefined) return;
    const [first = '', ...rest] = await uncheckedWarning(endpoint, file, this.interruption.signal);
    for (const line of [`pixels: ${first}`, ...rest]) this.say(line);
  }

  private show({ message, fraction }: Progress): void {
    const { terminal } = this;
    const inPlace = terminal.streams.stderr.isTTY === true;
    const line = inPlace && fraction !== undefined ? `${message} ${Math.round(fraction * 100)}%` : message;
    if (line !== this.lastProgress) terminal.progress(`${line}…`);
    this.lastProgress = line;
  }
}
