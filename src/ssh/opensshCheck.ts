import fs from 'node:fs';
import { PixelsError } from '../sandbox/errors';
import { runOpenSsh } from './program';

/**
 * `ssh -G` also runs the commands of `Match exec` lines, with the shell that SHELL names. These are a person's own
 * and may do anything; with a shell that only fails, OpenSSH reads them and takes them for not matching.
 */
const SHELLS_THAT_FAIL = ['/bin/false', '/usr/bin/false', '/usr/bin/env'];

/**
 * Lets OpenSSH itself read a configuration file, from its first to its last line, without connecting.
 * @param shownAs what the messages call the file.
 * @throws PixelsError `config` with OpenSSH's own words, `unsupported` when there is no ssh.
 */
export async function requireValidConfig(file: string, host: string, shownAs: string): Promise<void> {
  // Without this a `CanonicalizeHostname yes` of the person's would ask the DNS.
  const args = ['-G', '-F', file, '-o', 'CanonicalizeHostname=no', '--', host];
  const { exitCode, stderr } = await runOpenSsh('ssh', args, { ...process.env, SHELL: failingShell() });
  if (exitCode === 0) return;
  const lines = stderr.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('Pseudo-terminal'));
  const said = (lines[0] ?? `exit code ${exitCode}`).replaceAll(file, shownAs);
  throw new PixelsError('config', `OpenSSH does not accept ${shownAs}: ${said}`, { cause: new Error(stderr) });
}

function failingShell(): string | undefined {
  return SHELLS_THAT_FAIL.find((shell) => fs.existsSync(shell));
}
