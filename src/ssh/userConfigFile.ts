import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { PixelsError } from '../sandbox/errors';
import { isThere } from './presence';

/** A person's ssh_config as it is on disk. */
export interface UserConfigFile {
  /** The file itself, when `path` is a link to it: it is written through. */
  readonly target: string;
  /** Undefined: there is no such file. */
  readonly bytes: Buffer | undefined;
  /** Whether it can be replaced by us. */
  readonly writable: boolean;
}

/**
 * Reads the file. Only one that is not there counts as empty: whoever takes another error for that destroys a
 * configuration.
 * @throws PixelsError `config`.
 */
export async function readUserConfig(file: string): Promise<UserConfigFile> {
  const target = await followLinks(file);
  let bytes: Buffer | undefined;
  try {
    bytes = await fs.readFile(target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') {
      throw new PixelsError('config', `${file} cannot be read (${code ?? 'unknown error'}), so it is left alone.`, {
        cause: error,
      });
    }
  }
  return { target, bytes, writable: await isWritable(target, bytes !== undefined) };
}

/** As realpath, but a link may lead to a file that does not exist yet. */
async function followLinks(file: string): Promise<string> {
  let place = path.resolve(file);
  for (let links = 0; links < 40; links++) {
    try {
      place = path.resolve(path.dirname(place), await fs.readlink(place));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EINVAL' || code === 'UNKNOWN' || code === 'ENOENT') return place; // no link
      throw new PixelsError('config', `${file} cannot be read (${code ?? 'unknown error'}), so it is left alone.`, {
        cause: error,
      });
    }
  }
  throw new PixelsError('config', `${file} is a link in a circle, so it is left alone.`);
}

/** Replacing needs the directory; a file that is itself read-only is meant to stay as it is. */
async function isWritable(target: string, exists: boolean): Promise<boolean> {
  try {
    if (exists) {
      const handle = await fs.open(target, 'r+');
      await handle.close();
    }
    await fs.access(await nearestDirectory(target), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

async function nearestDirectory(file: string): Promise<string> {
  for (let directory = path.dirname(file); ; directory = path.dirname(directory)) {
    if ((await isThere(directory)) || directory === path.dirname(directory)) return directory;
  }
}
