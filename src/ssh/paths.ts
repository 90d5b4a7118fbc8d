import os from 'node:os';
import path from 'node:path';

/** Where everything is. All absolute: OpenSSH takes the home directory from the password database, not from HOME. */
export interface SshPaths {
  readonly home: string;
  /** The person's own configuration, to which one line is added. */
  readonly userConfig: string;
  /** The person's configuration is where `ssh` itself looks for it. */
  readonly isUsual: boolean;
  /** The directory that is all ours. */
  readonly directory: string;
  readonly config: string;
  readonly knownHosts: string;
  readonly privateKey: string;
  /** What ProxyCommand runs. */
  readonly launcher: string;
  /** The directory with the tunnel's modules: tunnel.js, and what that imports. */
  readonly tunnelProgram: string;
  /** Which server the tunnel goes through. */
  readonly tunnelTarget: string;
  /** The names, never the values, of the secrets that an editor keeps. */
  readonly secretNames: string;
  /** Is there when the person's configuration did not exist before us. */
  readonly madeUserConfig: string;
}

/** The paths below a home directory; `userConfig` is elsewhere when the editor is told so (remote.SSH.configFile). */
export function sshPaths(home = os.userInfo().homedir, userConfig?: string): SshPaths {
  const directory = path.join(home, '.ssh', 'pixels');
  const own = (name: string) => path.join(directory, name);
  const usual = (base: string) => path.join(base, '.ssh', 'config');
  const chosen = userConfig ?? usual(home);
  return {
    home,
    userConfig: chosen,
    isUsual: chosen === usual(os.userInfo().homedir),
    directory,
    config: own('config'),
    knownHosts: own('known_hosts'),
    privateKey: own('id_ed25519'),
    launcher: own(process.platform === 'win32' ? 'tunnel.cmd' : 'tunnel'),
    tunnelProgram: own('program'),
    tunnelTarget: own('tunnel.json'),
    secretNames: own('secret-names'),
    madeUserConfig: own('made-user-config'),
  };
}
