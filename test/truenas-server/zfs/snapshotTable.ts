/** What ZFS knows of a snapshot. Its content is elsewhere. */
export interface SnapshotFacts {
  readonly dataset: string;
  /** The part behind the @. */
  readonly name: string;
  /** Epoch seconds. */
  readonly creation: number;
  readonly createtxg: number;
  readonly guid: string;
  readonly referenced: number;
  /** User properties: their names have a colon. */
  readonly properties: Readonly<Record<string, string>>;
  readonly holds: readonly string[];
}

/** The table as it is written down. */
export interface TableContents {
  readonly txg: number;
  readonly snapshots: Readonly<Record<string, SnapshotFacts>>;
  readonly origins: Readonly<Record<string, string>>;
  readonly properties: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export class ZfsError extends Error {
  override readonly name = 'ZFSException';
}

/** The snapshots of a pool with ZFS' own rules on them, and its own texts. Nothing here touches a disk. */
export class SnapshotTable {
  private readonly snapshots: Map<string, SnapshotFacts>;
  /** By data set: the id of the snapshot that it is a clone of, which it depends on. */
  private readonly origins: Map<string, string>;
  /** By data set: properties that were set. */
  private readonly properties: Map<string, Readonly<Record<string, string>>>;
  private txg: number;

  constructor({ txg, snapshots, origins, properties }: TableContents = EMPTY) {
    this.txg = txg;
    this.snapshots = new Map(Object.entries(snapshots));
    this.origins = new Map(Object.entries(origins));
    this.properties = new Map(Object.entries(properties));
  }

  toJSON(): TableContents {
    return {
      txg: this.txg,
      snapshots: Object.fromEntries(this.snapshots),
      origins: Object.fromEntries(this.origins),
      properties: Object.fromEntries(this.properties),
    };
  }

  /** In the order of their creation. */
  all(): (SnapshotFacts & { readonly id: string })[] {
    return [...this.snapshots].map(([id, facts]) => ({ id, ...facts })).sort((a, b) => a.createtxg - b.createtxg);
  }

  of(dataset: string): (SnapshotFacts & { readonly id: string })[] {
    return this.all().filter((snapshot) => snapshot.dataset === dataset);
  }

  find(id: string): SnapshotFacts | undefined {
    return this.snapshots.get(id);
  }

  required(id: string): SnapshotFacts {
    const found = this.find(id);
    if (!found) throw new ZfsError(`cannot open '${id}': dataset does not exist`);
    return found;
  }

  /** A transaction group number that was never used before. */
  nextTxg(): number {
    this.txg += 3;
    return this.txg;
  }

  add(facts: Omit<SnapshotFacts, 'createtxg'>): SnapshotFacts {
    const id = `${facts.dataset}@${facts.name}`;
    if (this.find(id)) throw new ZfsError('dataset already exists');
    const added = { ...facts, createtxg: this.nextTxg() };
    this.snapshots.set(id, added);
    return added;
  }

  change(id: string, changes: Partial<SnapshotFacts>): void {
    this.snapshots.set(id, { ...this.required(id), ...changes });
  }

  clonesOf(id: string): string[] {
    return [...this.origins].filter(([, origin]) => origin === id).map(([dataset]) => dataset);
  }

  /** Throws with the texts of `zfs destroy` where it may not go. */
  checkRemoval(id: string): void {
    const { holds } = this.required(id);
    const clones = this.clonesOf(id);
    if (clones.length > 0) throw new ZfsError(`cannot destroy '${id}': snapshot has dependent clones`);
    if (holds.length > 0) throw new ZfsError(`cannot destroy '${id}': dataset is busy`);
  }

  remove(id: string): void {
    this.checkRemoval(id);
    this.snapshots.delete(id);
  }

  /** The snapshots that go with a data set; throws with the texts of `zfs destroy` where it may not go. */
  removable(dataset: string, { recursive }: { recursive: boolean }): string[] {
    const ids = this.of(dataset).map(({ id }) => id);
    if (ids.length > 0 && !recursive) {
      const list = ids.join('\n');
      throw new ZfsError(
        `cannot destroy '${dataset}': filesystem has children\nuse '-r' to destroy the following datasets:\n${list}`,
      );
    }
    const clones = ids.flatMap((id) => this.clonesOf(id));
    if (clones.length === 0) return ids;
    const list = clones.join('\n');
    throw new ZfsError(
      `cannot destroy '${dataset}': filesystem has dependent clones\nuse '-R' to destroy the following datasets:\n${list}`,
    );
  }

  /** Throws with the text of `zfs receive -F` of a full stream onto a data set that has snapshots. */
  checkOverwriting(dataset: string): void {
    const [first] = this.of(dataset);
    if (!first) return;
    throw new ZfsError(
      `cannot receive new filesystem stream: destination has snapshots (eg. ${first.id})\nmust destroy them to overwrite it`,
    );
  }

  rename(id: string, name: string): string {
    const facts = this.required(id);
    const renamed = `${facts.dataset}@${name}`;
    if (this.find(renamed)) throw new ZfsError(`cannot rename '${id}': dataset already exists`);
    this.snapshots.set(renamed, { ...facts, name });
    this.snapshots.delete(id);
    for (const clone of this.clonesOf(id)) this.origins.set(clone, renamed);
    return renamed;
  }

  /**
   * What a rollback to the snapshot has to destroy first, newest first: `zfs rollback` (OpenZFS cmd/zfs/zfs_main.c) refuses without -r when
   * there is anything newer, and with it when something newer has clones (without -R) or is held.
   */
  newerThan(
    id: string,
    options: { recursive: boolean; recursiveClones: boolean },
  ): { snapshots: string[]; clones: string[] } {
    const target = this.required(id);
    const newer = this.of(target.dataset).filter(({ createtxg }) => createtxg > target.createtxg);
    const ids = newer.map((snapshot) => snapshot.id);
    if (ids.length > 0 && !options.recursive && !options.recursiveClones) {
      throw new ZfsError(
        `cannot rollback to '${id}': more recent snapshots or bookmarks exist\n` +
          `use '-r' to force deletion of the following snapshots and bookmarks:\n${ids.join('\n')}`,
      );
    }
    const clones = ids.flatMap((newerId) => this.clonesOf(newerId));
    if (clones.length > 0 && !options.recursiveClones) {
      throw new ZfsError(
        `cannot rollback to '${id}': clones of previous snapshots exist\n` +
          `use '-R' to force deletion of the following clones and dependents:\n${clones.join('\n')}`,
      );
    }
    const held = newer.find(({ holds }) => holds.length > 0);
    if (held) throw new ZfsError(`cannot destroy '${held.id}': dataset is busy`);
    return { snapshots: ids.reverse(), clones };
  }

  originOf(dataset: string): string | undefined {
    return this.origins.get(dataset);
  }

  propertiesOf(dataset: string): Readonly<Record<string, string>> {
    return this.properties.get(dataset) ?? {};
  }

  /** A data set that is new, from that snapshot where it is a clone. */
  addDataset(dataset: string, properties: Readonly<Record<string, string>>, origin?: string): void {
    this.properties.set(dataset, { ...properties });
    if (origin !== undefined) this.origins.set(dataset, origin);
  }

  setProperty(dataset: string, name: string, value: string | null): void {
    const others = Object.entries(this.propertiesOf(dataset)).filter(([key]) => key !== name);
    this.properties.set(dataset, Object.fromEntries(value === null ? others : [...others, [name, value]]));
  }

  /** A data set got another name, with everything in it. */
  moveDataset(from: string, to: string): void {
    for (const { id, name } of this.of(from)) {
      const renamed = `${to}@${name}`;
      this.snapshots.set(renamed, { ...this.required(id), dataset: to });
      this.snapshots.delete(id);
      for (const clone of this.clonesOf(id)) this.origins.set(clone, renamed);
    }
    this.addDataset(to, this.propertiesOf(from), this.originOf(from));
    this.forgetDataset(from);
  }

  /** Without asking whether it may go. */
  forgetSnapshot(id: string): void {
    this.snapshots.delete(id);
  }

  forgetDataset(dataset: string): void {
    for (const { id } of this.of(dataset)) this.snapshots.delete(id);
    this.origins.delete(dataset);
    this.properties.delete(dataset);
  }

  /** The data sets that something is known of. */
  datasets(): string[] {
    return [...new Set([...this.origins.keys(), ...this.properties.keys()])];
  }
}

const EMPTY: TableContents = { txg: 1_834_700, snapshots: {}, origins: {}, properties: {} };
