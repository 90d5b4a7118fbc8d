import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  statSync,
  type Stats,
} from 'node:fs';
import { appendFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CallError } from '../rpc/errors';
import type { PoolLayout } from '../zfs/layout';

/** Where a container's files are mounted on the NAS, and whether they are at the moment. */
export interface ContainerMount {
  /** `/var/lib/incus/storage-pools/default/containers`. */
  readonly below: string;
  /** The real directory for the container of that name, or null while it is not mounted. */
  find(name: string): Promise<string | null>;
}

/** Where containers are mounted, as far as that was looked up already. */
type Mounts = Map<string, string | null>;

/**
 * The NAS's own files, as root sees them: a directory of the test's, with the containers' file systems mounted in it. As on the
 * real one, symbolic links are followed, out of a container too, and where a container is not mounted one writes into the
 * directory below its mountpoint.
 */
export class HostFiles {
  constructor(
    readonly root: string,
    private readonly mount: ContainerMount,
    private readonly layout: PoolLayout,
  ) {
    for (const directory of [
      this.mount.below,
      '/etc',
      '/root',
      '/tmp',
      '/usr/sbin',
      '/var/log/jobs',
      `/mnt/${this.layout.pool}`,
    ]) {
      mkdirSync(path.join(root, directory), { recursive: true });
    }
  }

  /** The directory whose children are the containers' file systems. */
  get containersBelow(): string {
    return this.mount.below;
  }

  /** `filesystem.file_receive` (MW:plugins/filesystem.py): makes the directories above, then a plain `open`. */
  async receive(
    file: string,
    content: Buffer,
    options: { append: boolean; mode: number | null; uid: number; gid: number },
  ): Promise<void> {
    const target = await this.resolve(file, { follow: true });
    if (existsSync(target) && statSync(target).isDirectory()) throw new CallError(`${file}: Is a directory`, 'EISDIR');
    mkdirSync(path.dirname(target), { recursive: true });
    await (options.append ? appendFile(target, content) : writeFile(target, content));
    if (options.mode) chmodSync(target, options.mode);
    const { uid, gid } = statSync(target);
    chownSync(target, options.uid === -1 ? uid : options.uid, options.gid === -1 ? gid : options.gid);
  }

  /** The real file behind a path of the NAS; throws ENOENT. */
  async existing(file: string, { follow }: { follow: boolean }): Promise<{ real: string; stats: Stats }> {
    if (!path.isAbsolute(file)) throw new CallError(`Path must be absolute: ${file}`, 'EINVAL');
    const real = await this.resolve(file, { follow });
    const stats = lstatSync(real, { throwIfNoEntry: false });
    if (!stats) throw new CallError(`Path ${file} not found`, 'ENOENT');
    return { real, stats };
  }

  async list(directory: string): Promise<{ name: string; path: string; real: string; stats: Stats }[]> {
    const { real, stats } = await this.existing(directory, { follow: true });
    if (!stats.isDirectory()) throw new CallError(`Path ${directory} is not a directory`, 'ENOTDIR');
    return readdirSync(real).map((name) => {
      const file = path.join(real, name);
      return { name, path: path.join(directory, name), real: file, stats: lstatSync(file) };
    });
  }

  /** The path on this machine, with every symbolic link read as on the NAS. */
  private async resolve(
    file: string,
    { follow }: { follow: boolean },
    depth = 0,
    mounts: Mounts = new Map(),
  ): Promise<string> {
    if (depth > 40) throw new CallError(`${file}: Too many levels of symbolic links`, 'EINVAL');
    const parts = path.posix.normalize(file).split('/').filter(Boolean);
    let seen = '/';
    for (const [index, part] of parts.entries()) {
      const next = path.posix.join(seen, part);
      const real = await this.mounted(next, mounts);
      const isLast = index === parts.length - 1;
      if (lstatSync(real, { throwIfNoEntry: false })?.isSymbolicLink() && (!isLast || follow)) {
        const target = path.posix.resolve(seen, readlinkSync(real));
        return this.resolve(path.posix.join(target, ...parts.slice(index + 1)), { follow }, depth + 1, mounts);
      }
      seen = next;
    }
    return this.mounted(seen, mounts);
  }

  private async mounted(file: string, mounts: Mounts): Promise<string> {
    const { below } = this.mount;
    if (file.startsWith(`${below}/`)) {
      const [name = '', ...rest] = file.slice(below.length + 1).split('/');
      if (!mounts.has(name)) mounts.set(name, await this.mount.find(name));
      const directory = mounts.get(name) ?? null;
      if (directory !== null) return path.join(directory, ...rest);
    }
    return path.join(this.root, file);
  }
}
