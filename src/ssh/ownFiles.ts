import fs from 'node:fs/promises';
import path from 'node:path';
import { isVariableName } from '../sandbox/environment';
import type { SandboxName } from '../sandbox/name';
import { replaceIfChanged } from './atomicFile';
import { aliasOf, renderConfig, type HostEntry } from './hostEntries';
import { renderKnownHosts } from './knownHosts';
import { launcherFor, runtimeOf, type NodeRuntime } from './launcher';
import { requireValidConfig } from './opensshCheck';
import { makeOwnDirectory } from './ownDirectory';
import type { SshPaths } from './paths';
import { acceptedNames, type SentEnvironment } from './sentEnvironment';
import { installTunnel } from './tunnelProgram';
import { isStale } from './presence';

/** What the tunnel needs to find the server: plain data without secrets, which only the tunnel itself understands. */
export type TunnelTarget = Readonly<Record<string, unknown>>;

export interface OwnFiles {
  readonly entries: readonly HostEntry[];
  /** The private key that ssh uses. */
  readonly identity: string;
  /** The directory of the build, dist/, with the tunnel in it. */
  readonly build: string;
  /** Undefined: this server has no tunnel. */
  readonly tunnelTarget: TunnelTarget | undefined;
  readonly runtime: NodeRuntime;
  readonly environment: SentEnvironment;
  /** Undefined: whoever asks knows of no secrets, and the names that are there stay. */
  readonly secretNames: readonly string[] | undefined;
}

/**
 * Brings everything in ~/.ssh/pixels up to date. Only what differs is written, each file at once, and the configuration
 * last, after OpenSSH has accepted it. Returns whether the configuration changed (the list of hosts, for an editor).
 * @throws PixelsError `config` when OpenSSH refuses the configuration: then the old one stays.
 */
export async function writeOwnFiles(paths: SshPaths, files: OwnFiles): Promise<boolean> {
  await makeOwnDirectory(paths);
  await removeStale(paths.directory);
  await replaceIfChanged(paths.knownHosts, renderKnownHosts(files.entries), { mode: 0o600 });
  const needsCertificates = files.tunnelTarget !== undefined && files.tunnelTarget['kind'] !== 'unix';
  const acceptEnv = acceptedNames(files.environment);
  const tunnel = { ...files.tunnelTarget, ...(acceptEnv.length === 0 ? {} : { acceptEnv }) };
  const target = JSON.stringify(tunnel, null, 2) + '\n';
  await replaceIfChanged(paths.tunnelTarget, target, { mode: 0o600 });
  await installTunnel(files.build, paths.tunnelProgram);
  const runtime = await runtimeOf(paths.launcher, files.runtime);
  await replaceIfChanged(paths.launcher, launcherFor(runtime, needsCertificates), { mode: 0o700 });
  await keepSecretNames(paths.secretNames, files.secretNames);
  return replaceIfChanged(paths.config, renderConfig(files.entries, paths, files.identity, files.environment), {
    mode: 0o600,
    accept: (candidate) => requireValidConfig(candidate, aliasOf('any' as SandboxName), paths.config),
  });
}

/** The names of the secrets that an editor keeps, as it last said. */
export async function readSecretNames(paths: SshPaths): Promise<readonly string[]> {
  const text = await fs.readFile(paths.secretNames, 'utf8').catch(() => '');
  return text.split('\n').filter(isVariableName);
}

async function keepSecretNames(file: string, names: readonly string[] | undefined): Promise<void> {
  if (names === undefined) return;
  if (names.length === 0) await fs.rm(file, { force: true });
  else
    await replaceIfChanged(
      file,
      [...names]
        .sort()
        .map((name) => `${name}\n`)
        .join(''),
      { mode: 0o600 },
    );
}

async function removeStale(directory: string): Promise<void> {
  for (const name of await fs.readdir(directory)) {
    if (!name.endsWith('.tmp')) continue;
    const file = path.join(directory, name);
    if (await isStale(file)) await fs.rm(file, { force: true });
  }
}
