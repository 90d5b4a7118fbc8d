import type { ZfsPool } from '../zfs/pool';
import { ZfsError, type SnapshotFacts } from '../zfs/snapshotTable';
import { CallError, ERRNO, invalid, notFound, ValidationErrors } from '../rpc/errors';
import { method, type MethodTable } from '../rpc/method';
import { filteredAttributes, filterRows, type QueryOptions } from '../rpc/queryFilters';
import type { Nas } from '../nas';
import { refuseProtected } from './protectedPath';

interface CreateFields {
  readonly dataset: string;
  readonly name?: string;
  readonly naming_schema?: string;
  readonly recursive?: boolean;
  readonly exclude?: readonly string[];
  readonly properties?: Readonly<Record<string, string>>;
}

interface RollbackFields {
  readonly recursive: boolean;
  readonly recursive_clones: boolean;
  readonly force: boolean;
  readonly recursive_rollback: boolean;
}

interface UpdateFields {
  readonly user_properties_update?: readonly {
    readonly key: string;
    readonly value?: string;
    readonly remove?: boolean;
  }[];
  readonly user_properties_remove?: readonly string[];
}

/**
 * `zfs.snapshot.*` of 25.04 and `pool.snapshot.*` since 25.10, which are the same but for what is said here
 * (MW:plugins/zfs_/snapshot.py, snapshot_actions.py, MW:plugins/pool_/snapshot.py).
 */
export function snapshotMethods(nas: Nas): MethodTable {
  const namespace = nas.profile === '25.04.2' ? 'zfs.snapshot' : 'pool.snapshot';
  const { pool, middleware, profile } = nas;
  const [reading, writing] = [{ roles: ['SNAPSHOT_READ'] }, { roles: ['SNAPSHOT_WRITE'] }];
  // 25.04 lists no role for these, so that only who may do everything may do them.
  const acting = profile === '25.04.2' ? { roles: ['FULL_ADMIN'] } : writing;

  async function get(id: string, options: QueryOptions): Promise<Record<string, unknown>> {
    const facts = pool.table.find(id);
    if (!facts) throw notFound(profile === '25.04.2' ? `ZFSSnapshot ${id}` : `PoolSnapshot ${id}`);
    return entry(pool, facts, { ...detail(options), format: profile });
  }

  async function query(filters: readonly unknown[], options: QueryOptions): Promise<unknown> {
    const attributes = filteredAttributes(filters);
    const onlyNames = options.count === true || (options.select?.length === 1 && options.select[0] === 'name');
    if (onlyNames && [...attributes].every((name) => ['name', 'pool', 'dataset'].includes(name))) {
      const names = pool.table.all().map(({ id, dataset }) => ({ name: id, pool: nas.poolName, dataset }));
      return filterRows(names, filters, options);
    }
    const wanted = detail(options);
    // Sizes cost time: only of those that are left after the filters on the name.
    const cheap = ['id', 'name', 'dataset', 'snapshot_name', 'pool', 'createtxg', 'type'];
    const bare = pool.table.all().map((facts) => bareEntry(nas.poolName, facts));
    const isCheap = [...attributes].every((name) => cheap.includes(name));
    const left = isCheap ? (filterRows(bare, filters) as typeof bare) : bare;
    const rows = await Promise.all(
      left.map(({ id }) => entry(pool, pool.table.required(id), { ...wanted, format: profile })),
    );
    return middleware.query(`${namespace}.query`, rows, filters, options);
  }

  async function create(fields: CreateFields): Promise<unknown> {
    const { dataset, recursive, exclude, properties } = fields;
    refuseProtected(nas, 'zfs.resource.snapshot.create', dataset);
    const name = fields.name ?? (fields.naming_schema === undefined ? '' : fromSchema(fields.naming_schema));
    if (exclude?.length && !recursive) {
      throw invalid('snapshot_create.exclude', 'This option has no sense for non-recursive snapshots');
    }
    const id = `${dataset}@${name}`;
    if (!/^[A-Za-z0-9_.: -]+$/.test(name)) throw invalid('snapshot_create.name', 'Invalid snapshot name');
    if (profile === '26.0' && pool.table.find(id)) {
      throw new ValidationErrors(
        [['pool.snapshot.create', `${name} already exists.`, ERRNO.EEXIST]],
        'ValidationError',
      );
    }
    const facts = await pool.snapshot(id, properties).catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      throw new CallError(`Failed to snapshot ${id}: ${text}`, text.includes('already exists') ? 'EEXIST' : 'EFAULT');
    });
    const added = await entry(pool, facts, { properties: null, holds: null, format: profile });
    middleware.tell(`${namespace}.query`, 'added', id, added);
    return added;
  }

  async function remove(id: string, { defer }: { defer?: boolean }): Promise<true> {
    refuseProtected(nas, 'zfs.resource.snapshot.destroy', id);
    if (!pool.table.find(id)) throw notFound(profile === '25.04.2' ? `ZFSSnapshot ${id}` : `PoolSnapshot ${id}`);
    const clones = pool.table.clonesOf(id);
    if (clones.length > 0) {
      if (defer) throw new CallError('The test server does not defer the destruction of a snapshot');
      const text = `Please set this attribute as '${id}' snapshot has dependent clones: ${clones.join(', ')}`;
      throw invalid('options.defer', text);
    }
    await pool.destroySnapshot(id).catch(asCallError(''));
    middleware.tell(`${namespace}.query`, 'removed', id);
    return true;
  }

  async function rollback(id: string, fields: RollbackFields): Promise<null> {
    refuseProtected(nas, 'zfs.resource.snapshot.rollback', id);
    const { recursive, recursive_clones: recursiveClones } = fields;
    await pool.rollback(id, { recursive, recursiveClones }).catch(asCallError('Failed to rollback snapshot: '));
    return null;
  }

  async function update(id: string, fields: UpdateFields): Promise<unknown> {
    const facts = pool.table.find(id);
    if (!facts) throw notFound(`PoolSnapshot ${id}`);
    if (profile === '26.0') return get(id, {}); // a stub there that changes nothing
    const changed = new Map(Object.entries(facts.properties));
    for (const { key, value, remove: isRemoved } of fields.user_properties_update ?? []) {
      if (isRemoved) changed.delete(key);
      else changed.set(key, value ?? '');
    }
    for (const key of fields.user_properties_remove ?? []) changed.delete(key);
    await pool.changeProperties(id, Object.fromEntries(changed));
    return get(id, {});
  }

  const methods: MethodTable = {
    query: method<[unknown[], QueryOptions]>(reading, ([filters, options]) => query(filters, options)),
    get_instance: method<[string, QueryOptions]>(reading, ([id, options]) => get(id, options)),
    create: method<[CreateFields]>(writing, ([fields]) => create(fields)),
    delete: method<[string, { defer?: boolean }]>({ roles: ['SNAPSHOT_DELETE'] }, ([id, options]) =>
      remove(id, options),
    ),
    rollback: method<[string, RollbackFields]>(acting, ([id, fields]) => rollback(id, fields)),
    clone: method<[{ snapshot: string; dataset_dst: string; dataset_properties?: Record<string, string> }]>(
      acting,
      async ([{ snapshot, dataset_dst: target, dataset_properties: properties }]) => {
        refuseProtected(nas, 'zfs.resource.snapshot.clone', snapshot);
        await pool.clone(snapshot, target, properties).catch(asCallError('Failed to clone snapshot: '));
        return true;
      },
    ),
    hold: method<[string]>(acting, async ([id]) => {
      refuseProtected(nas, 'zfs.resource.snapshot.hold', id);
      await pool.hold(id, 'truenas').catch(asCallError('Failed to hold snapshot: '));
      return null;
    }),
    release: method<[string]>(acting, async ([id]) => {
      refuseProtected(nas, 'zfs.resource.snapshot.release', id);
      await pool.release(id).catch(asCallError('Failed to release snapshot: '));
      return null;
    }),
    rename: method<[string, { new_name: string; force?: boolean }]>(writing, async ([id, fields]) => {
      const [dataset, name] = fields.new_name.split('@');
      if (!fields.force) throw invalid('options.force', 'Renaming a snapshot has to be forced');
      if (dataset !== id.split('@')[0] || name === undefined)
        throw invalid('options.new_name', 'Not a snapshot of this dataset');
      await pool.rename(id, name).catch(asCallError('Failed to rename snapshot: '));
      return null;
    }),
    update: method<[string, UpdateFields]>(writing, ([id, fields]) => update(id, fields)),
  };
  return Object.fromEntries(Object.entries(methods).map(([name, its]) => [`${namespace}.${name}`, its]));
}

function asCallError(prefix: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof ZfsError) throw new CallError(`${prefix}${error.message}`);
    throw error;
  };
}

interface Detail {
  /** null: all of them. */
  readonly properties: readonly string[] | null;
  /** null: not even on 26, where they are told otherwise. */
  readonly holds: boolean | null;
}

/** `extra.properties` is a list, or an object whose keys count. */
function detail({ extra }: QueryOptions): Detail {
  const { properties, holds } = extra ?? {};
  if (properties === undefined || properties === null) return { properties: null, holds: holds === true };
  const names = Array.isArray(properties) ? properties.map(String) : Object.keys(properties);
  return { properties: names, holds: holds === true };
}

function bareEntry(poolName: string, { dataset, name, createtxg }: SnapshotFacts) {
  const id = `${dataset}@${name}`;
  return { id, pool: poolName, name: id, type: 'SNAPSHOT', snapshot_name: name, dataset, createtxg: String(createtxg) };
}

/** `PoolSnapshotEntry`. 26 always tells the holds. */
export async function entry(
  pool: ZfsPool,
  facts: SnapshotFacts,
  { properties, holds, format }: Detail & { format: string },
): Promise<Record<string, unknown>> {
  const bare = bareEntry(pool.layout.pool, facts);
  const isWanted = (name: string): boolean => properties === null || properties.includes(name);
  const values: Record<string, unknown> = {};
  if (isWanted('creation')) values.creation = creation(facts.creation, format);
  if (isWanted('createtxg')) values.createtxg = number(facts.createtxg);
  if (isWanted('used') || isWanted('referenced')) {
    const { used, referenced } = await pool.sizes(bare.id);
    if (isWanted('used')) values.used = number(used);
    if (isWanted('referenced')) values.referenced = number(referenced);
  }
  for (const [name, value] of Object.entries(facts.properties)) {
    if (properties?.includes(name)) values[name] = { value, rawvalue: value, source: 'LOCAL', parsed: value };
  }
  const held = facts.holds.length > 0 ? { truenas: 1 } : {};
  return { ...bare, properties: values, ...(holds || (holds !== null && format === '26.0') ? { holds: held } : {}) };
}

function creation(seconds: number, format: string): unknown {
  const rawvalue = String(seconds);
  if (format === '26.0') return { value: rawvalue, rawvalue, source: 'NONE', parsed: seconds };
  const text = new Date(seconds * 1000).toUTCString(); // Fri, 21 Aug 2026 10:20:00 GMT
  const value = text.replace(/^(\w+), 0?(\d+) (\w+) (\d+) (\d+:\d+).*$/, '$1 $3 $2 $5 $4');
  return { value, rawvalue, source: 'NONE', parsed: { $date: seconds * 1000 } };
}

function number(value: number): unknown {
  return { value: humanSize(value), rawvalue: String(value), source: 'NONE', parsed: value };
}

function humanSize(bytes: number): string {
  const units = ['B', 'K', 'M', 'G', 'T'];
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${Number((bytes / 1024 ** power).toPrecision(3))}${units[power] ?? ''}`;
}

/** `%Y-%m-%d_%H-%M` and the like, in UTC. */
function fromSchema(schema: string): string {
  const now = new Date().toISOString();
  const parts: Record<string, string> = {
    Y: now.slice(0, 4),
    m: now.slice(5, 7),
    d: now.slice(8, 10),
    H: now.slice(11, 13),
    M: now.slice(14, 16),
    S: now.slice(17, 19),
  };
  return schema.replaceAll(/%([YmdHMS])/g, (_, letter: string) => parts[letter] ?? '');
}
