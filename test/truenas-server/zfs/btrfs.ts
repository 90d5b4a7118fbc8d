import { execFile } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Subvolumes of the btrfs file system that stands for the ZFS pool. */
export const btrfs = {
  async create(path: string): Promise<void> {
    await run('btrfs', ['subvolume', 'create', path]);
  },

  async snapshot(from: string, to: string, { readonly }: { readonly: boolean }): Promise<void> {
    await run('btrfs', ['subvolume', 'snapshot', ...(readonly ? ['-r'] : []), from, to]);
  },

  /** With those inside it: systemd in a container makes /var/lib/machines and /var/lib/portables subvolumes. */
  async remove(path: string, mountpoint: string): Promise<void> {
    for (const inner of await innerSubvolumes(path, mountpoint)) await run('btrfs', ['subvolume', 'delete', inner]);
    if (!isSubvolume(path)) {
      rmSync(path, { recursive: true }); // Incus makes a directory in place of a missing subvolume
      return;
    }
    await run('btrfs', ['property', 'set', '-f', '-ts', path, 'ro', 'false']);
    await run('btrfs', ['subvolume', 'delete', path]);
  },

  /** Bytes in all, and bytes that nothing else shares. */
  async usage(path: string): Promise<{ total: number; exclusive: number }> {
    const { stdout } = await run('btrfs', ['filesystem', 'du', '--raw', '-s', path]);
    const [total, exclusive] = (stdout.trim().split('\n').at(-1) ?? '').trim().split(/\s+/);
    return { total: Number(total), exclusive: Number(exclusive) };
  },
};

/** The root of a subvolume has this inode (btrfs' `BTRFS_FIRST_FREE_OBJECTID`). */
function isSubvolume(path: string): boolean {
  return statSync(path).ino === 256;
}

/**
 * Deepest first. btrfs lists the paths from the top of the file system, which is where `mountpoint` is; and for a directory that is no
 * subvolume it lists all of those that are in the one around it, which are not ours.
 */
async function innerSubvolumes(path: string, mountpoint: string): Promise<string[]> {
  const { stdout } = await run('btrfs', ['subvolume', 'list', '-o', path]);
  const paths = stdout
    .split('\n')
    .map((line) => / path (.*)$/.exec(line)?.[1])
    .filter((inner) => inner !== undefined)
    .map((inner) => `${mountpoint}/${inner}`)
    .filter((inner) => inner.startsWith(`${path}/`));
  const deeper = await Promise.all(paths.map((inner) => innerSubvolumes(inner, mountpoint)));
  return [...deeper.flat(), ...paths];
}
