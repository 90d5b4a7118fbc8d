import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';

export interface WriteOptions {
  readonly mode: number;
  /** Who shall own the file, when that is not us. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** Sees the complete new file under another name before it takes its place; what it throws stops that. */
  readonly accept?: ((candidate: string) => Promise<void>) | undefined;
}

/**
 * Replaces a file at once: whoever reads it gets the old or the new content, also after a power cut, and with several
 * writers at a time. The directory must exist.
 */
export async function replaceFile(file: string, content: string | Uint8Array, options: WriteOptions): Promise<void> {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const handle = await fs.open(temporary, 'wx', options.mode);
    try {
      await handle.chmod(options.mode); // the mode of open() goes through the umask
      if (options.owner !== undefined) await handle.chown(options.owner.uid, options.owner.gid);
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await options.accept?.(temporary);
    await renameOver(temporary, file);
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw error;
  }
}

/** {@link replaceFile}, unless the file has this content and mode already. Returns whether it was written. */
export async function replaceIfChanged(
  file: string,
  content: string | Uint8Array,
  options: WriteOptions,
): Promise<boolean> {
  if (await isAlready(file, Buffer.from(content), options.mode)) return false;
  await replaceFile(file, content, options);
  return true;
}

async function isAlready(file: string, content: Buffer, mode: number): Promise<boolean> {
  try {
    const { mode: present } = await fs.stat(file);
    if (process.platform !== 'win32' && (present & 0o777) !== mode) return false;
    return (await fs.readFile(file)).equals(content);
  } catch {
    return false; // then writing says what is wrong
  }
}

/** On Windows a virus scanner or ssh itself may have the file open for a moment; elsewhere the first try counts. */
async function renameOver(from: string, to: string): Promise<void> {
  for (let triesLeft = 10; ; triesLeft--) {
    try {
      await fs.rename(from, to);
      return;
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (process.platform !== 'win32' || triesLeft === 0 || !['EPERM', 'EBUSY', 'EACCES'].includes(code)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
