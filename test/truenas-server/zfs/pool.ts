import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { btrfs } from './btrfs';
import type { PoolLayout } from './layout';
import { eraseDirectory, openDirectory, writeTable } from './ownDirectory';
import { SnapshotTable, ZfsError, type SnapshotFacts } from './snapshotTable';

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.: -]*$/;
const USED_IS_KNOWN_MS = 10_000;

/** Whether something has a data set mounted, so that it is busy: an instance that runs. */
export type IsBusy = (dataset: string) => Promise<boolean>;

/** The ZFS pool that clients see: data sets and snapshots as btrfs subvolumes, and a table of what ZFS would know of them. */
export class ZfsPool {
  private last: Promise<unknown> = Promise.resolve();
  private readonly used = new Map<string, { bytes: number; at: number }>();

  private constructor(
    readonly layout: PoolLayout,
    readonly table: SnapshotTable,
    private readonly isBusy: IsBusy,
  ) {}

  /** With what an earlier server left, unless `isNew`. */
  static async open(layout: PoolLayout, isBusy: IsBusy, isNew: boolean): Promise<ZfsPool> {
    if (isNew) await eraseDirectory(layout);
    const pool = new ZfsPool(layout, new SnapshotTable(openDirectory(layout)), isBusy);
    await pool.forgetOrphans();
    return pool;
  }

  /** Takes away everything that is beside Incus' own tree. */
  erase(): Promise<void> {
    return this.last.then(() => eraseDirectory(this.layout));
  }

  has(dataset: string): boolean {
    return this.layout.parents.includes(dataset) || existsSync(this.layout.directoryOf(dataset));
  }

  /** Every file system, parents first. */
  datasets(): string[] {
    const { volumePrefix: prefix, mountpoint } = this.layout;
    const instances = readdirSync(path.join(mountpoint, 'containers')).filter((name) => name.startsWith(prefix));
    const others = readdirSync(path.join(this.layout.ownDirectory, 'datasets')).map(decodeURIComponent);
    const all = [...instances.map((name) => this.layout.datasetOf(name.slice(prefix.length))), ...others];
    return [...this.layout.parents, ...all.sort()];
  }

  /** Unknown ones are an error with ZFS' text. */
  requireDataset(dataset: string): void {
    if (!this.has(dataset)) throw new ZfsError(`cannot open '${dataset}': dataset does not exist`);
  }

  snapshot(id: string, properties: Readonly<Record<string, string>> = {}): Promise<SnapshotFacts> {
    return this.exclusively(async () => {
      const [dataset, name] = splitSnapshot(id);
      this.requireDataset(dataset);
      const wrong = Object.keys(properties).find((key) => !key.includes(':'));
      if (wrong !== undefined) throw new ZfsError(`cannot create snapshots: invalid property '${wrong}'`);
      const directory = this.layout.directoryOf(dataset);
      if (this.table.find(id)) throw new ZfsError('dataset already exists');
      if (!existsSync(directory))
        throw new ZfsError(`cannot create snapshots of '${dataset}': it only holds others here`);
      await btrfs.snapshot(directory, this.layout.snapshotDirectory(id), { readonly: true });
      return this.table.add({ dataset, name, creation: now(), guid: newGuid(), referenced: 0, properties, holds: [] });
    });
  }

  destroySnapshot(id: string): Promise<void> {
    return this.exclusively(() => this.destroySnapshotNow(id));
  }

  /** As `zfs rollback`: nothing is asked about what runs on it. */
  rollback(id: string, options: { recursive: boolean; recursiveClones: boolean }): Promise<void> {
    return this.exclusively(async () => {
      const { dataset } = this.table.required(id);
      const { snapshots, clones } = this.table.newerThan(id, options);
      for (const clone of clones) await this.destroyDatasetNow(clone, { recursive: true });
      for (const newer of snapshots) await this.destroySnapshotNow(newer);
      const directory = this.layout.directoryOf(dataset);
      await this.removeSubvolume(directory);
      await btrfs.snapshot(this.layout.snapshotDirectory(id), directory, { readonly: false });
    });
  }

  /** As `zfs clone`: the new data set depends on the snapshot. */
  clone(id: string, dataset: string, properties: Readonly<Record<string, string>> = {}): Promise<void> {
    return this.exclusively(async () => {
      this.table.required(id);
      if (this.has(dataset)) throw new ZfsError(`cannot create '${dataset}': dataset already exists`);
      this.requireParent(dataset, 'create');
      await btrfs.snapshot(this.layout.snapshotDirectory(id), this.layout.directoryOf(dataset), { readonly: false });
      this.table.addDataset(dataset, properties, id);
    });
  }

  /** As `zfs receive` of a full stream of the snapshot: an independent copy, and the snapshot with it. */
  receive(
    id: string,
    dataset: string,
    options: { force: boolean; properties: Readonly<Record<string, string>> },
  ): Promise<void> {
    return this.exclusively(async () => {
      const source = this.table.required(id);
      if (this.has(dataset)) {
        if (!options.force) {
          throw new ZfsError(
            `cannot receive new filesystem stream: destination '${dataset}' exists\nmust specify -F to overwrite it`,
          );
        }
        this.table.checkOverwriting(dataset);
        await this.destroyDatasetNow(dataset, { recursive: true });
      }
      this.requireParent(dataset, 'receive new filesystem stream');
      const received = `${dataset}@${source.name}`;
      await btrfs.snapshot(this.layout.snapshotDirectory(id), this.layout.snapshotDirectory(received), {
        readonly: true,
      });
      await btrfs.snapshot(this.layout.snapshotDirectory(id), this.layout.directoryOf(dataset), { readonly: false });
      this.table.add({ ...source, dataset, holds: [], properties: {} });
      this.table.addDataset(dataset, options.properties);
    });
  }

  destroyDataset(dataset: string, options: { recursive: boolean }): Promise<void> {
    return this.exclusively(() => this.destroyDatasetNow(dataset, options));
  }

  hold(id: string, tag: string): Promise<void> {
    return this.exclusively(() => {
      const { holds } = this.table.required(id);
      if (holds.includes(tag)) throw new ZfsError(`cannot hold snapshot '${id}': tag already exists on this dataset`);
      this.table.change(id, { holds: [...holds, tag] });
    });
  }

  release(id: string, tag?: string): Promise<void> {
    return this.exclusively(() => {
      const { holds } = this.table.required(id);
      if (tag !== undefined && !holds.includes(tag)) {
        throw new ZfsError(`cannot release hold from snapshot '${id}': no such tag on this dataset`);
      }
      this.table.change(id, { holds: holds.filter((held) => tag !== undefined && held !== tag) });
    });
  }

  rename(id: string, name: string): Promise<void> {
    return this.exclusively(() => {
      const renamed = this.table.rename(id, name);
      renameSync(this.layout.snapshotDirectory(id), this.layout.snapshotDirectory(renamed));
    });
  }

  changeProperties(id: string, properties: Readonly<Record<string, string>>): Promise<void> {
    return this.exclusively(() => this.table.change(id, { properties }));
  }

  setProperty(dataset: string, name: string, value: string | null): Promise<void> {
    return this.exclusively(() => {
      this.requireDataset(dataset);
      this.table.setProperty(dataset, name, value);
    });
  }

  /**
   * What Incus did with the data set of an instance that it deletes: its snapshots are gone, or, where other data sets are clones of
   * them, set aside below `deleted/` (lxc/incus driver_zfs_volumes.go `DeleteVolume`).
   */
  instanceDeleted(instance: string): Promise<void> {
    return this.exclusively(async () => {
      const dataset = this.layout.datasetOf(instance);
      const all = this.table.of(dataset);
      if (all.some(({ id }) => this.table.clonesOf(id).length > 0)) {
        const aside = `${path.posix.dirname(this.layout.containers)}/deleted/containers/${randomUUID()}`;
        this.moveNow(dataset, aside);
        await btrfs.create(this.layout.directoryOf(aside));
        return;
      }
      for (const { id } of all) await this.removeSubvolume(this.layout.snapshotDirectory(id));
      this.table.forgetDataset(dataset);
    });
  }

  /** An instance got another name, its subvolume too. */
  instanceRenamed(from: string, to: string): Promise<void> {
    return this.exclusively(() => this.moveNow(this.layout.datasetOf(from), this.layout.datasetOf(to)));
  }

  /** Lets Incus make an instance of its own where a data set already is, and puts the data set in its place. */
  aside(directory: string, create: () => Promise<void>): Promise<void> {
    return this.exclusively(async () => {
      const kept = path.join(this.layout.ownDirectory, 'aside');
      renameSync(directory, kept);
      try {
        await create();
        await this.removeSubvolume(directory);
      } finally {
        renameSync(kept, directory);
      }
    });
  }

  /**
   * Ends the snapshots of data sets that are gone: instances that were deleted behind the NAS's back, with which ZFS would have
   * destroyed them.
   */
  forgetOrphans(): Promise<void> {
    return this.exclusively(async () => {
      for (const { id, dataset } of this.table.all()) {
        if (this.has(dataset)) continue;
        await this.removeSubvolume(this.layout.snapshotDirectory(id));
        this.table.forgetSnapshot(id);
      }
      for (const dataset of this.table.datasets()) if (!this.has(dataset)) this.table.forgetDataset(dataset);
    });
  }

  /** Bytes that the snapshot refers to, and those that only it does. */
  async sizes(id: string): Promise<{ referenced: number; used: number }> {
    const known = this.used.get(id);
    const { referenced } = this.table.required(id);
    if (known && referenced > 0 && Date.now() - known.at < USED_IS_KNOWN_MS) return { referenced, used: known.bytes };
    const { total, exclusive } = await btrfs.usage(this.layout.snapshotDirectory(id));
    this.used.set(id, { bytes: exclusive, at: Date.now() });
    if (referenced === 0) {
      this.table.change(id, { referenced: total });
      this.save();
    }
    return { referenced: total, used: exclusive };
  }

  private async destroySnapshotNow(id: string): Promise<void> {
    this.table.checkRemoval(id);
    await this.removeSubvolume(this.layout.snapshotDirectory(id));
    this.table.remove(id);
  }

  private async destroyDatasetNow(dataset: string, { recursive }: { recursive: boolean }): Promise<void> {
    this.requireDataset(dataset);
    if (this.layout.parents.includes(dataset)) {
      throw new ZfsError(
        `cannot destroy '${dataset}': filesystem has children\nuse '-r' to destroy the following datasets:`,
      );
    }
    const snapshots = this.table.removable(dataset, { recursive });
    if (await this.isBusy(dataset)) throw new ZfsError(`cannot destroy '${dataset}': dataset is busy`);
    for (const id of snapshots) await this.destroySnapshotNow(id);
    await this.removeSubvolume(this.layout.directoryOf(dataset));
    this.table.forgetDataset(dataset);
  }

  private moveNow(from: string, to: string): void {
    for (const { id, name } of this.table.of(from)) {
      renameSync(this.layout.snapshotDirectory(id), this.layout.snapshotDirectory(`${to}@${name}`));
    }
    this.table.moveDataset(from, to);
  }

  private requireParent(dataset: string, action: string): void {
    const parent = path.posix.dirname(dataset);
    if (!this.has(parent)) throw new ZfsError(`cannot ${action} '${dataset}': parent does not exist`);
  }

  private async removeSubvolume(directory: string): Promise<void> {
    if (existsSync(directory)) await btrfs.remove(directory, this.layout.mountpoint);
  }

  /** One after another, and written down afterwards. */
  private exclusively<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.last.then(work).finally(() => {
      this.used.clear();
      this.save();
    });
    this.last = result.catch(() => undefined);
    return result;
  }

  private save(): void {
    writeTable(this.layout, this.table);
  }
}

/** Throws on what is not the name of a snapshot. */
export function splitSnapshot(id: string): [dataset: string, name: string] {
  const [dataset = '', name, ...more] = id.split('@');
  if (name === undefined || more.length > 0 || !NAME.test(name)) throw new ZfsError(`invalid dataset name '${id}'`);
  return [dataset, name];
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

function newGuid(): string {
  return String(randomBytes(6).readUIntBE(0, 6)); // 64 bits on the real one, more than a number holds here
}
