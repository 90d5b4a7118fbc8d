import fs from 'node:fs/promises';

/** What a killed process, or an earlier version, has left is taken away after this long: somebody may just be using it. */
const STALE_MS = 60 * 60_000;

/** Whether there is a file or directory that can be seen. */
export async function isThere(file: string): Promise<boolean> {
  return fs.access(file).then(
    () => true,
    () => false,
  );
}

/** Whether a file is there and was written more than an hour ago. */
export async function isStale(file: string): Promise<boolean> {
  const stat = await fs.stat(file).catch(() => undefined);
  return stat !== undefined && Date.now() - stat.mtimeMs > STALE_MS;
}
