import { readFile } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { CallError } from '../rpc/errors';
import { method, type MethodTable } from '../rpc/method';
import { filterRows, type QueryOptions } from '../rpc/queryFilters';
import type { Nas } from '../nas';

interface ReceiveOptions {
  readonly append: boolean;
  readonly mode: number | null;
  readonly uid: number | null;
  readonly gid: number | null;
}

/** The base64 text of one call (MW:plugins/filesystem.py). */
const LARGEST_CONTENT = 2_048_000;

export function filesystemMethods(nas: Nas): MethodTable {
  const { files } = nas;
  const roles = ['FILESYSTEM_ATTRS_READ'];
  return {
    'filesystem.file_receive': method<[string, string, ReceiveOptions]>(
      { isPrivate: true },
      async ([path, content, options]) => {
        if (!path.startsWith('/')) throw new CallError(`Path must be absolute: ${path}`, 'EINVAL');
        if (content.length > LARGEST_CONTENT) throw new CallError('The content is too large', 'EINVAL');
        const { append, mode, uid, gid } = options;
        await files.receive(path, Buffer.from(content, 'base64'), { append, mode, uid: uid ?? -1, gid: gid ?? -1 });
        return true;
      },
    ),
    'filesystem.stat': method<[string]>({ roles }, async ([path]) => {
      const { stats } = await files.existing(path, { follow: false });
      const { real } = await files.existing(path, { follow: true }).catch(() => ({ real: path }));
      return statData(real.startsWith(files.root) ? real.slice(files.root.length) || '/' : path, stats);
    }),
    'filesystem.listdir': method<[string, unknown[], QueryOptions]>({ roles }, async ([path, filters, options]) => {
      const rows = (await files.list(path)).map(({ name, path: at, stats }) => {
        const {
          acl,
          attributes,
          is_mountpoint,
          is_ctldir,
          realpath,
          type,
          size,
          allocation_size,
          mode,
          uid,
          gid,
          mount_id,
        } = statData(at, stats);
        const facts = {
          realpath,
          type,
          size,
          allocation_size,
          mode,
          acl,
          uid,
          gid,
          mount_id,
          is_mountpoint,
          is_ctldir,
          attributes,
        };
        return { name, path: at, ...facts, xattrs: [], zfs_attrs: null };
      });
      return filterRows(rows, filters, options);
    }),
    'filesystem.get': method<[string]>({ roles: ['FULL_ADMIN'], job: {} }, async ([path], _, job) => {
      const { real, stats } = await files.existing(path, { follow: true });
      if (!stats.isFile()) throw new CallError('File does not exist');
      nas.downloads.give(job, await readFile(real));
      return null;
    }),
  };
}

function statData(realpath: string, stats: Stats) {
  return {
    realpath,
    type: stats.isSymbolicLink() ? 'SYMLINK' : stats.isDirectory() ? 'DIRECTORY' : stats.isFile() ? 'FILE' : 'OTHER',
    size: stats.size,
    allocation_size: stats.blocks * 512,
    mode: stats.mode,
    uid: stats.uid,
    gid: stats.gid,
    atime: stats.atimeMs / 1000,
    mtime: stats.mtimeMs / 1000,
    ctime: stats.ctimeMs / 1000,
    btime: stats.birthtimeMs / 1000,
    mount_id: 412,
    dev: stats.dev,
    inode: stats.ino,
    nlink: stats.nlink,
    is_mountpoint: false,
    is_ctldir: false,
    attributes: [],
    user: stats.uid === 0 ? 'root' : null,
    group: stats.gid === 0 ? 'root' : null,
    acl: false,
  };
}
