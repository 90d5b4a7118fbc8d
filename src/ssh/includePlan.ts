import fs from 'node:fs/promises';
import path from 'node:path';
import { PixelsError } from '../sandbox/errors';
import { replaceFile } from './atomicFile';
import { requireValidConfig } from './opensshCheck';
import { makeOwnDirectory } from './ownDirectory';
import type { SshPaths } from './paths';
import { includeLine, isIncluded, withInclude, withoutInclude } from './userConfig';
import { readUserConfig, type UserConfigFile } from './userConfigFile';
import { isThere } from './presence';

/** A change of a person's file, worked out but not made: to be shown as a diff and asked about. */
export interface UserConfigChange {
  /** The path as the person knows it. */
  readonly path: string;
  /** The file's text now; '' when there is none. */
  readonly before: string;
  /** The text afterwards; '' also when the file is deleted. */
  readonly after: string;
  readonly bytes: { readonly before: Buffer | undefined; readonly after: Buffer | undefined };
}

/** What has to be done so that ssh knows our hosts. */
export type IncludePlan =
  | { readonly kind: 'present'; readonly path: string }
  | ({ readonly kind: 'add' } & UserConfigChange)
  /** We may not write it: the person adds `line` as the first line. */
  | { readonly kind: 'read-only'; readonly path: string; readonly line: string };

/** What has to be done to take our line out again. */
export type RemovalPlan =
  | { readonly kind: 'absent'; readonly path: string }
  | ({ readonly kind: 'remove' } & UserConfigChange)
  | { readonly kind: 'read-only'; readonly path: string; readonly line: string };

/**
 * Changes nothing. A line of ours that stands too far down is moved up by the plan.
 * @throws PixelsError `config` when the file cannot be read.
 */
export async function planInclude(paths: SshPaths): Promise<IncludePlan> {
  const { bytes, writable } = await readUserConfig(paths.userConfig);
  const text = (bytes ?? Buffer.alloc(0)).toString('latin1');
  if (isIncluded(text, paths)) return { kind: 'present', path: paths.userConfig };
  if (!writable) return { kind: 'read-only', path: paths.userConfig, line: includeLine(paths) };
  return { kind: 'add', ...change(paths, bytes, Buffer.from(withInclude(text, paths), 'latin1')) };
}

/**
 * Changes nothing. The file is deleted by the plan when we made it and it holds nothing but our line.
 * @throws PixelsError `config` when the file cannot be read.
 */
export async function planRemoval(paths: SshPaths): Promise<RemovalPlan> {
  const { bytes, writable } = await readUserConfig(paths.userConfig);
  const text = (bytes ?? Buffer.alloc(0)).toString('latin1');
  const rest = withoutInclude(text, paths);
  if (rest === text) return { kind: 'absent', path: paths.userConfig };
  if (!writable) return { kind: 'read-only', path: paths.userConfig, line: includeLine(paths) };
  const ourFile = rest === '' && (await isThere(paths.madeUserConfig));
  return { kind: 'remove', ...change(paths, bytes, ourFile ? undefined : Buffer.from(rest, 'latin1')) };
}

/**
 * Makes the planned change, if the file is still as the plan saw it and OpenSSH accepts the result.
 * @throws PixelsError `busy` when the file has changed, `config` when OpenSSH refuses it, `forbidden` when it cannot be
 * written. The file is then as it was.
 */
export async function applyChange(paths: SshPaths, planned: UserConfigChange): Promise<void> {
  const file = await readUserConfig(paths.userConfig);
  if (!sameBytes(file.bytes, planned.bytes.before)) {
    throw new PixelsError('busy', `${planned.path} has been changed meanwhile.`, { hint: 'Look at it and try again.' });
  }
  try {
    if (planned.bytes.after === undefined) await fs.rm(file.target);
    else await writeUserConfig(paths, file, planned.bytes.after);
  } catch (error) {
    if (error instanceof PixelsError) throw error;
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new PixelsError('forbidden', `${planned.path} cannot be written (${code}).`, {
      hint: `Its first line should be: ${includeLine(paths)}`,
      cause: error,
    });
  }
}

async function writeUserConfig(paths: SshPaths, file: UserConfigFile, bytes: Buffer): Promise<void> {
  if (file.bytes === undefined) {
    await fs.mkdir(path.dirname(file.target), { recursive: true, mode: 0o700 });
    await makeOwnDirectory(paths);
    await fs.writeFile(paths.madeUserConfig, '');
  }
  const present = file.bytes === undefined ? undefined : await fs.stat(file.target);
  await replaceFile(file.target, bytes, {
    mode: present === undefined ? 0o600 : present.mode & 0o7777,
    owner: present === undefined || present.uid === process.getuid?.() ? undefined : present,
    accept: (candidate) => requireValidConfig(candidate, 'any.pixels', paths.userConfig),
  });
}

function change(paths: SshPaths, before: Buffer | undefined, after: Buffer | undefined): UserConfigChange {
  const text = (bytes: Buffer | undefined) => bytes?.toString('utf8') ?? '';
  return { path: paths.userConfig, before: text(before), after: text(after), bytes: { before, after } };
}

function sameBytes(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b);
}
