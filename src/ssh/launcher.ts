import fs from 'node:fs/promises';
import launcherScript from './launcher.sh';
import { shellWord } from './quoting';
import { isThere } from './presence';

/** What can run the tunnel. */
export interface NodeRuntime {
  readonly path: string;
  /** It is an editor's own Electron, which is slower to start and goes away when the editor is updated. */
  readonly isElectron: boolean;
}

/** The program that runs us. */
export function ownRuntime(): NodeRuntime {
  return { path: process.execPath, isElectron: process.versions['electron'] !== undefined };
}

/**
 * Which runtime to record: the one that is recorded already when it still exists, unless an Electron can be replaced by
 * a plain Node. So the command line and the editor do not write the launcher in turns.
 */
export async function runtimeOf(launcher: string, own: NodeRuntime): Promise<NodeRuntime> {
  const [, electron, path] = /^(?:# |rem )runtime (electron|node): (.+?)\r?$/m.exec(await readOrEmpty(launcher)) ?? [];
  if (electron === undefined || path === undefined) return own;
  const recorded: NodeRuntime = { path, isElectron: electron === 'electron' };
  if (recorded.isElectron && !own.isElectron) return own;
  return (await isThere(path)) ? recorded : own;
}

/**
 * The launcher's text.
 * @param needsCertificates the server's certificate is checked, maybe against NODE_EXTRA_CA_CERTS. Otherwise that
 * variable is taken away: reading a usual bundle of authorities adds 30 ms to the start of Node 20.
 */
export function launcherFor(runtime: NodeRuntime, needsCertificates: boolean): string {
  const record = `runtime ${runtime.isElectron ? 'electron' : 'node'}: ${runtime.path}`;
  if (process.platform === 'win32') return windowsLauncher(record, runtime.path);
  return launcherScript
    .replace(/^# runtime$/m, () => `# ${record}`)
    .replace(/^runtime=.*$/m, () => `runtime=${shellWord(runtime.path)}`)
    .replace(/^certificates=.*$/m, () => `certificates=${needsCertificates ? 'yes' : 'no'}`);
}

function windowsLauncher(record: string, runtime: string): string {
  return [
    '@echo off',
    `rem ${record}`,
    'set ELECTRON_RUN_AS_NODE=1',
    'set NODE_OPTIONS=',
    `set "runtime=${runtime}"`,
    'if not exist "%runtime%" set "runtime=node"',
    '"%runtime%" "%~dp0program\\tunnel.js" %*',
    '',
  ].join('\r\n');
}

async function readOrEmpty(file: string): Promise<string> {
  return fs.readFile(file, 'utf8').catch(() => '');
}
