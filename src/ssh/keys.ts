import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import { hostname } from 'node:os';
import { PixelsError } from '../sandbox/errors';
import { publicKey } from './knownHosts';
import { runOpenSsh } from './program';
import { isThere } from './presence';

/** A key pair that exists. */
export interface KeyPair {
  readonly privateKeyPath: string;
  /** One line for authorized_keys, with its comment, without the line break. */
  readonly publicKey: string;
}

/**
 * Our own key pair, made when it is not there. Two processes at once end with the same pair. The directory must exist.
 * @throws PixelsError `unsupported` when ssh-keygen is not there, `failed` when it fails.
 */
export async function ensureOwnKeyPair(privateKeyPath: string): Promise<KeyPair> {
  if (!(await isThere(privateKeyPath))) await makeKey(privateKeyPath);
  else if (process.platform !== 'win32') await fs.chmod(privateKeyPath, 0o600);
  return readKeyPair(privateKeyPath);
}

/**
 * The pair of a private key that a person configured.
 * @throws PixelsError `config`: it does not exist, others can read it, or its public half cannot be told.
 */
export async function readKeyPair(privateKeyPath: string): Promise<KeyPair> {
  await requirePrivate(privateKeyPath);
  const beside = await readIfThere(`${privateKeyPath}.pub`);
  const line = beside ?? (await derivePublicKey(privateKeyPath));
  if (publicKey(line) === undefined) {
    throw new PixelsError('config', `${privateKeyPath}.pub does not hold a public key.`);
  }
  return { privateKeyPath, publicKey: line.trim() };
}

async function makeKey(privateKeyPath: string): Promise<void> {
  const temporary = `${privateKeyPath}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const args = ['-q', '-t', 'ed25519', '-N', '', '-C', `pixels@${hostname()}`, '-f', temporary];
    const { exitCode, stderr } = await runOpenSsh('ssh-keygen', args);
    if (exitCode !== 0) {
      throw new PixelsError('failed', `No SSH key could be made: ${stderr.trim()}`, { cause: new Error(stderr) });
    }
    // A link, because it fails where a rename would replace the key of somebody who was quicker.
    await fs.link(temporary, privateKeyPath);
    await fs.rename(`${temporary}.pub`, `${privateKeyPath}.pub`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await fs.rm(temporary, { force: true });
    await fs.rm(`${temporary}.pub`, { force: true });
  }
}

async function requirePrivate(file: string): Promise<void> {
  let mode: number;
  try {
    ({ mode } = await fs.stat(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? 'unknown error'})`;
    throw new PixelsError('config', `The SSH key ${file} ${why}.`, {
      hint: 'Set ssh.key to a private key, or leave it out.',
      cause: error,
    });
  }
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new PixelsError('config', `The SSH key ${file} can be read by other users, so OpenSSH refuses it.`, {
      hint: `Run "chmod 600 ${file}".`,
    });
  }
}

/** Needs no passphrase only when the key has none; then, and for a key in an agent or on a token, the .pub file tells. */
async function derivePublicKey(privateKeyPath: string): Promise<string> {
  const { exitCode, stdout, stderr } = await runOpenSsh('ssh-keygen', ['-y', '-P', '', '-f', privateKeyPath]);
  if (exitCode === 0) return stdout;
  if (stderr.includes('passphrase')) {
    throw new PixelsError('config', `The SSH key ${privateKeyPath} has a passphrase, and there is no .pub file.`, {
      hint: `Run "ssh-keygen -y -f ${privateKeyPath} > ${privateKeyPath}.pub".`,
    });
  }
  throw new PixelsError('config', `${privateKeyPath} is no SSH private key.`, { cause: new Error(stderr) });
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await fs.readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new PixelsError('config', `${file} cannot be read.`, { cause: error });
  }
}
