import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { btrfs } from './btrfs';
import type { PoolLayout } from './layout';
import type { SnapshotTable, TableContents } from './snapshotTable';

/** What there is in the directory beside Incus' own, apart from the table. */
const KINDS = ['snapshots', 'datasets'];

/** Makes the directory where it is missing, and returns the table that an earlier server left in it. */
export function openDirectory(layout: PoolLayout): TableContents | undefined {
  for (const kind of KINDS) mkdirSync(path.join(layout.ownDirectory, kind), { recursive: true, mode: 0o700 });
  const file = tableFile(layout);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as TableContents) : undefined;
}

export function writeTable(layout: PoolLayout, table: SnapshotTable): void {
  writeFileSync(tableFile(layout), JSON.stringify(table, null, 1));
}

/** Takes it away with all its subvolumes. */
export async function eraseDirectory(layout: PoolLayout): Promise<void> {
  const directories = KINDS.map((kind) => path.join(layout.ownDirectory, kind)).filter((kind) => existsSync(kind));
  for (const directory of directories) {
    for (const name of readdirSync(directory)) await btrfs.remove(path.join(directory, name), layout.mountpoint);
  }
  rmSync(layout.ownDirectory, { recursive: true, force: true });
}

function tableFile(layout: PoolLayout): string {
  return path.join(layout.ownDirectory, 'zfs.json');
}
