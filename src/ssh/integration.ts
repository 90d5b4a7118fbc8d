import fs from 'node:fs/promises';
import type { Check } from '../sandbox/check';
import { silentLog, type Log } from '../sandbox/log';
import type { SandboxName } from '../sandbox/name';
import { examineSsh } from './examine';
import { aliasOf, isUserName, type HostEntry } from './hostEntries';
import { applyChange, planInclude, planRemoval, type IncludePlan, type RemovalPlan } from './includePlan';
import { ensureOwnKeyPair, readKeyPair, type KeyPair } from './keys';
import { ownRuntime, type NodeRuntime } from './launcher';
import { makeOwnDirectory } from './ownDirectory';
import { readSecretNames, writeOwnFiles, type TunnelTarget } from './ownFiles';
import { sshPaths, type SshPaths } from './paths';
import { shellWord } from './quoting';
import { NOTHING_SENT, type SentEnvironment } from './sentEnvironment';

export interface SshIntegrationOptions {
  /** The directory of the build, dist/; a copy of the tunnel in it is what ssh runs. */
  readonly build: string;
  /** `ssh.key` of the configuration: a private key to use instead of our own. */
  readonly key?: string | undefined;
  /** Where the person's configuration is, when not ~/.ssh/config. */
  readonly userConfigPath?: string | undefined;
  /** Default: the home directory in the password database, where OpenSSH looks. */
  readonly home?: string | undefined;
  readonly runtime?: NodeRuntime | undefined;
  readonly log?: Log | undefined;
}

/** What sessions bring along. */
export interface SessionSettings {
  readonly environment: SentEnvironment;
  /** Names of an editor's secrets, kept for {@link SshIntegration.secretNames}; undefined leaves those that are kept. */
  readonly secretNames?: readonly string[] | undefined;
}

/** Everything about OpenSSH on the person's side: keys, ~/.ssh/pixels, and the one line in ~/.ssh/config. */
export class SshIntegration {
  readonly paths: SshPaths;
  private readonly log: Log;
  /** One at a time, in the order they were asked for: the last list of entries is the one that stays. */
  private queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: SshIntegrationOptions) {
    this.paths = sshPaths(options.home, options.userConfigPath);
    this.log = options.log ?? silentLog;
  }

  /**
   * The key pair that goes into sandboxes: the configured one, or our own, which is made at the first call.
   * @throws PixelsError `config`, `unsupported` (no OpenSSH), `failed`.
   */
  async ensureKeyPair(): Promise<KeyPair> {
    if (this.options.key !== undefined) return readKeyPair(this.options.key);
    await makeOwnDirectory(this.paths);
    return ensureOwnKeyPair(this.paths.privateKey);
  }

  /**
   * Makes ~/.ssh/pixels say what is so: these sandboxes, this server. Writes only what differs. Touches nothing of the
   * person's.
   * @param tunnelTarget the server for the tunnel, plain data without secrets (`incusServer()` of the configuration).
   * @param settings what sessions bring along; by default nothing.
   * @returns whether the configuration for ssh changed.
   * @throws PixelsError `config`, `unsupported`; the files that were there stay.
   */
  sync(
    entries: readonly HostEntry[],
    tunnelTarget?: TunnelTarget,
    settings: SessionSettings = { environment: NOTHING_SENT },
  ): Promise<boolean> {
    const { build, key, runtime = ownRuntime() } = this.options;
    const identity = key ?? this.paths.privateKey;
    for (const { name, user } of entries) {
      if (!isUserName(user)) this.log.warn(`${name} is left out of the SSH configuration: odd user name`);
    }
    const write = async () => {
      const { environment, secretNames } = settings;
      const files = { entries, identity, build, tunnelTarget, runtime, environment, secretNames };
      const changed = await writeOwnFiles(this.paths, files);
      if (changed) this.log.debug(`Wrote ${this.paths.config} with ${entries.length} hosts`);
      return changed;
    };
    const turn = this.queue.then(write, write);
    this.queue = turn.catch(() => undefined);
    return turn;
  }

  /** The names of the secrets that an editor on this machine keeps for sandboxes, as it last said in {@link sync}. */
  secretNames(): Promise<readonly string[]> {
    return readSecretNames(this.paths);
  }

  /** What has to be done to the person's configuration; changes nothing. @throws PixelsError `config`. */
  planInclude(): Promise<IncludePlan> {
    return planInclude(this.paths);
  }

  /**
   * Does what was planned, after the person agreed. @throws PixelsError `busy` when the file changed since, `config` when
   * OpenSSH does not accept the result, `forbidden`. The file is then untouched.
   */
  async applyInclude(plan: IncludePlan): Promise<void> {
    if (plan.kind !== 'add') return;
    await applyChange(this.paths, plan);
    this.log.info(`Added one Include line to ${plan.path}`);
  }

  /** What has to be done to take our line out again; changes nothing. @throws PixelsError `config`. */
  planRemoval(): Promise<RemovalPlan> {
    return planRemoval(this.paths);
  }

  /**
   * Takes our line out and deletes ~/.ssh/pixels with our key in it. A read-only file keeps the line, which does no harm:
   * OpenSSH passes over an included file that is missing. @throws as {@link applyInclude}; then nothing is deleted.
   */
  async applyRemoval(plan: RemovalPlan): Promise<void> {
    if (plan.kind === 'remove') await applyChange(this.paths, plan);
    await fs.rm(this.paths.directory, { recursive: true, force: true });
    this.log.info(`Removed ${this.paths.directory}`);
  }

  /** Looks at all of this for a person, changes nothing, and throws only `cancelled`. */
  examine(signal?: AbortSignal): Promise<readonly Check[]> {
    return examineSsh(this.paths, this.options.key, signal);
  }

  /** A command to type: `ssh web.pixels`, or with our file named while the person's does not include it. */
  async sshCommand(name: SandboxName): Promise<string> {
    const { kind } = await this.planInclude().catch(() => ({ kind: 'unknown' }));
    return kind === 'present' && this.paths.isUsual
      ? `ssh ${aliasOf(name)}`
      : this.sshArguments(name).reduce(appendWord, 'ssh');
  }

  /** Arguments for `ssh` that work whether or not the person's configuration includes ours. */
  sshArguments(name: SandboxName): string[] {
    return ['-F', this.paths.config, aliasOf(name)];
  }
}

function appendWord(command: string, word: string): string {
  return `${command} ${/^[\w/.:@-]+$/.test(word) ? word : shellWord(word)}`;
}
