import * as vscode from 'vscode';
import type { Pixels, PixelsOptions } from '../app/pixels';
import type { Config, LoadedConfig } from '../config';
import { toPixelsError, type PixelsError } from '../sandbox/errors';
import type { HiddenValues } from '../sandbox/hiddenValues';
import type { Closable } from '../sandbox/host';
import type { Log } from '../sandbox/log';
import { SETTINGS_SECTION } from './ids';
import { sandboxSecrets, type SandboxSecrets } from './sandboxSecrets';
import { overridesFromSettings } from './settings';
import { apiKeyOf } from './trueNasKey';

/** An opened Pixels and who still needs it. One that has been replaced is closed when the last of them is done. */
interface Opened {
  readonly pixels: Pixels;
  users: number;
  replaced: boolean;
}

/**
 * The Pixels that is in use now. Opened when it is first asked for; replaced by another one when the configuration
 * changes. A change that cannot be used is reported and the one in use stays.
 */
export class CurrentPixels implements vscode.Disposable {
  private opening: Promise<Opened> | undefined;
  private opened: Opened | undefined;
  private watch: Closable | undefined;
  private file: string | undefined;
  private disposed = false;
  private readonly changed = new vscode.EventEmitter<Pixels>();
  private readonly failed = new vscode.EventEmitter<PixelsError>();
  private readonly settingsListener: vscode.Disposable;

  /** Another Pixels is in use from now on. */
  readonly onDidChange = this.changed.event;
  /** A change of the configuration cannot be used; what was in use stays. */
  readonly onDidReject = this.failed.event;

  constructor(
    private readonly log: Log,
    private readonly hidden: HiddenValues,
    private readonly secrets: vscode.SecretStorage,
    private readonly dist: string,
  ) {
    this.settingsListener = vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(SETTINGS_SECTION) && this.opened !== undefined) void this.reload();
    });
  }

  /** The one in use, if any was opened yet. */
  get value(): Pixels | undefined {
    return this.opened?.pixels;
  }

  /** The configuration file that is read, or would be if it existed. */
  async configFile(): Promise<string> {
    return this.file ?? (await import('../config')).configPath();
  }

  /** The configuration as it is now, whether or not a server can be opened with it. @throws PixelsError `config`. */
  async configuration(): Promise<LoadedConfig> {
    const [{ loadConfig }, { secretValues }] = await Promise.all([import('../config'), import('../app/environment')]);
    const loaded = await loadConfig({ overrides: overridesFromSettings() });
    this.hidden.add(secretValues(loaded.config));
    return loaded;
  }

  /**
   * Lends the one in use (opening it first if need be) until `work` is done; it is not closed meanwhile.
   * @throws PixelsError `config` when there is no usable configuration.
   */
  async use<T>(work: (pixels: Pixels) => Promise<T>): Promise<T> {
    const lent = await this.open();
    lent.users++;
    try {
      return await work(lent.pixels);
    } finally {
      lent.users--;
      closeIfDone(lent);
    }
  }

  /** Reads the configuration again. What was in use stays when the new one cannot be used. */
  async reload(): Promise<void> {
    try {
      await this.replace(await this.load());
    } catch (error) {
      this.failed.fire(toPixelsError(error));
    }
  }

  dispose(): void {
    this.disposed = true;
    this.settingsListener.dispose();
    this.watch?.close();
    this.opened?.pixels.close();
    this.changed.dispose();
    this.failed.dispose();
  }

  private open(): Promise<Opened> {
    if (this.opened !== undefined) return Promise.resolve(this.opened);
    this.opening ??= this.load()
      .then((loaded) => this.replace(loaded))
      .finally(() => (this.opening = undefined));
    return this.opening;
  }

  private async load(): Promise<LoadedConfig> {
    const { loadConfig, watchConfig } = await import('../config');
    const overrides = overridesFromSettings();
    const loaded = await loadConfig({ overrides });
    this.file = loaded.file;
    this.watch?.close();
    this.watch = watchConfig(
      { overrides },
      {
        onDidChange: (changed) => void this.replace(changed),
        onDidFail: (error) => this.failed.fire(error),
      },
    );
    return loaded;
  }

  /** What a Pixels is opened with beside the configuration. */
  surroundings(): Omit<PixelsOptions, 'config' | 'apiKey'> {
    const userSshConfig = vscode.workspace.getConfiguration('remote.SSH').get<string>('configFile');
    const secrets = () => this.keptSecrets();
    return { log: this.log, dist: this.dist, secrets, ...(userSshConfig ? { userSshConfig } : {}) };
  }

  /** The API key that the editor keeps for the configured TrueNAS, if it has one. */
  async apiKey({ truenas: { host = '', username } }: Config): Promise<string | undefined> {
    const apiKey = await apiKeyOf(this.secrets, { host, username });
    this.hidden.add([apiKey ?? '']);
    return apiKey;
  }

  /** For our connection, and for the tunnels of an ssh that this editor starts: they cannot ask the editor for it. */
  private async keptApiKey(config: Config): Promise<string | undefined> {
    const apiKey = await this.apiKey(config);
    const { TUNNEL_KEY_VARIABLE } = await import('../app/trueNas');
    process.env[TUNNEL_KEY_VARIABLE] = apiKey ?? '';
    return apiKey;
  }

  private async keptSecrets(): Promise<SandboxSecrets> {
    const secrets = await sandboxSecrets(this.secrets);
    this.hidden.add(Object.values(secrets));
    return secrets;
  }

  private async replace({ config, warnings, file }: LoadedConfig): Promise<Opened> {
    const [{ openPixels }, { secretValues }] = await Promise.all([
      import('../app/pixels'),
      import('../app/environment'),
    ]);
    this.hidden.add(secretValues(config));
    for (const warning of warnings) this.log.warn(warning);
    const pixels = await openPixels({
      config,
      ...this.surroundings(),
      apiKey: () => this.keptApiKey(config),
    });
    this.log.info(`Using ${file}`);
    const before = this.opened;
    this.opened = { pixels, users: 0, replaced: this.disposed };
    if (before !== undefined) {
      before.replaced = true;
      closeIfDone(before);
    }
    this.changed.fire(pixels);
    return this.opened;
  }
}

function closeIfDone({ pixels, users, replaced }: Opened): void {
  if (replaced && users === 0) pixels.close();
}
