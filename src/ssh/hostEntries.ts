import net from 'node:net';
import type { SandboxName } from '../sandbox/name';
import type { SshPaths } from './paths';
import { configPathArgument, proxyCommandWord } from './quoting';
import { environmentLines, NOTHING_SENT, type SentEnvironment } from './sentEnvironment';

/** One sandbox as OpenSSH shall know it. */
export interface HostEntry {
  readonly name: SandboxName;
  readonly user: string;
  /** `ssh-ed25519 AAAA…`; without it OpenSSH refuses to connect. */
  readonly hostKey?: string | undefined;
  /** For `direct`. */
  readonly address?: string | undefined;
  readonly transport: 'tunnel' | 'direct';
}

/** The host name that `ssh` and the editor know a sandbox by. Lower-case, as VS Code makes every authority. */
export function aliasOf(name: SandboxName): string {
  return `${name}.pixels`;
}

/**
 * The content of our own configuration file. What comes from the server is checked before it is written: a line break
 * in a user name would be a way to add `ProxyCommand`.
 */
export function renderConfig(
  entries: readonly HostEntry[],
  paths: SshPaths,
  identity: string,
  environment = NOTHING_SENT,
): string {
  const usable = entries.filter(({ user }) => isUserName(user)).sort((a, b) => (a.name < b.name ? -1 : 1));
  return [HEADER, ...usable.map((entry) => hostBlock(entry, paths)), commonBlock(paths, identity, environment)].join(
    '\n',
  );
}

const HEADER = `# Written by Pixels. Changes are overwritten; "Pixels: Remove SSH Integration" takes it away.
`;

/** A user name as useradd takes it. */
export function isUserName(user: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/.test(user);
}

function hostBlock(entry: HostEntry, paths: SshPaths): string {
  const alias = aliasOf(entry.name);
  return `Host ${alias}
  HostKeyAlias ${alias}
  User ${entry.user}
  ${way(entry, paths)}
`;
}

function way({ name, address, transport }: HostEntry, paths: SshPaths): string {
  const launcher = proxyCommandWord(paths.launcher);
  if (transport === 'tunnel') return `ProxyCommand ${launcher} ${name}`;
  if (address !== undefined && net.isIP(address) !== 0) {
    return `HostName ${address}\n  ProxyCommand none`;
  }
  // Without this, ssh would ask the name servers of the world for "web.pixels".
  return `ProxyCommand ${launcher} --no-address ${name}`;
}

/**
 * Every CPU of a desktop or server computes AES itself: with these, a transfer takes two thirds of the time that it takes
 * with ChaCha20, OpenSSH's first choice. All are known to OpenSSH 6.2 and newer, also where only FIPS ciphers are allowed.
 */
const CIPHERS = 'aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,aes256-ctr';

/**
 * What holds for all of them. The block is last because OpenSSH takes the first value it meets, and it is a pattern, so
 * that a sandbox which is not listed (yet) gets a sentence from the launcher instead of a look-up of "web.pixels" in the
 * DNS. It does not let such a sandbox in: its host key and whether it has our key are not known here.
 */
function commonBlock(paths: SshPaths, identity: string, environment: SentEnvironment): string {
  return `Host *.pixels
  ProxyCommand ${proxyCommandWord(paths.launcher)} --unlisted %n
  UserKnownHostsFile ${configPathArgument(paths.knownHosts)}
  GlobalKnownHostsFile none
  StrictHostKeyChecking yes
  UpdateHostKeys no
  CheckHostIP no
  IdentityFile ${configPathArgument(identity)}
  IdentitiesOnly yes
  PreferredAuthentications publickey
  Ciphers ${CIPHERS}
  ForwardAgent no
  ForwardX11 no
  CanonicalizeHostname no
  ConnectTimeout 60
  ServerAliveInterval 15
  ServerAliveCountMax 4
${environmentLines(environment)
  .map((line) => `  ${line}\n`)
  .join('')}`;
}
