import path from 'node:path';
import { check, ok, warning, type Check, type Finding } from '../sandbox/check';
import { planInclude } from './includePlan';
import { readKeyPair } from './keys';
import { requireValidConfig } from './opensshCheck';
import type { SshPaths } from './paths';
import { runOpenSsh } from './program';
import { isThere } from './presence';

/** An Include is understood from here on. */
const OLDEST = 7.3;

/**
 * Looks at OpenSSH on the person's side, for somebody who wants to know why it does not work. Changes nothing, and makes
 * nothing that is not there. Throws only `cancelled`.
 * @param key the configured one; undefined for our own.
 */
export function examineSsh(
  paths: SshPaths,
  key: string | undefined,
  signal: AbortSignal | undefined,
): Promise<readonly Check[]> {
  return Promise.all([
    check('OpenSSH client', client, { signal }),
    check('SSH files', () => ownFiles(paths), { signal }),
    check('SSH key', () => keyPair(paths, key), { signal }),
    check('SSH configuration', () => included(paths), { signal }),
  ]);
}

async function client(): Promise<Finding> {
  const { stderr } = await runOpenSsh('ssh', ['-V']); // it tells its version where others tell errors
  const [, version] = /^OpenSSH_(?:for_Windows_)?([^\s,]+)/.exec(stderr) ?? [];
  if (version === undefined) return warning(`ssh is not OpenSSH: it calls itself "${stderr.split('\n')[0] ?? ''}".`);
  if (Number.parseFloat(version) >= OLDEST) return ok(`OpenSSH ${version} is there.`);
  return warning(
    `OpenSSH ${version} is too old to include the entries of the sandboxes.`,
    `Install ${OLDEST} or newer.`,
  );
}

/** They are written as soon as there is a sandbox with a login, all together. */
async function ownFiles(paths: SshPaths): Promise<Finding> {
  const { config, knownHosts, launcher, tunnelProgram, tunnelTarget, directory } = paths;
  if (!(await isThere(config))) return ok(`There is nothing in ${directory} yet: the first sandbox fills it.`);
  const files = [config, knownHosts, launcher, path.join(tunnelProgram, 'tunnel.js'), tunnelTarget];
  const there = await Promise.all(files.map(isThere));
  const missing = files.filter((_, at) => !there[at]).map((file) => path.basename(file));
  if (missing.length > 0) {
    const advice = 'Run "pixels ssh-config", or look at the sandboxes in the editor: that writes them again.';
    return warning(`In ${directory} there is no ${missing.join(', ')}.`, advice);
  }
  await requireValidConfig(config, 'any.pixels', config);
  return ok(`${directory} is complete, and OpenSSH accepts what is in it.`);
}

async function keyPair({ privateKey }: SshPaths, configured: string | undefined): Promise<Finding> {
  if (configured === undefined && !(await isThere(privateKey)))
    return ok('There is none yet: the first sandbox makes it.');
  const { privateKeyPath } = await readKeyPair(configured ?? privateKey);
  return ok(`${privateKeyPath} opens the sandboxes.`);
}

async function included(paths: SshPaths): Promise<Finding> {
  const plan = await planInclude(paths);
  if (plan.kind === 'present') return ok(`${plan.path} includes the entries of the sandboxes.`);
  const sentence = `${plan.path} does not include the entries of the sandboxes, so that ssh and editors do not know them.`;
  if (plan.kind === 'read-only')
    return warning(sentence, `It cannot be written. Add this as its first line: ${plan.line}`);
  return warning(
    sentence,
    'Run "pixels ssh-config --install", or open a sandbox in a window: the editor offers it then.',
  );
}
