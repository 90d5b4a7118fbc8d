import { ZfsError, type SnapshotFacts } from '../zfs/snapshotTable';
import { CallError, ERRNO, ValidationErrors } from '../rpc/errors';
import { method, type MethodTable } from '../rpc/method';
import type { Nas } from '../nas';
import { refuseProtected } from './protectedPath';

interface QueryFields {
  readonly paths: readonly string[];
  readonly recursive: boolean;
  readonly properties: readonly string[] | null;
  readonly get_user_properties: boolean;
  readonly get_source: boolean;
  readonly get_holds: boolean;
  readonly min_txg: number;
  readonly max_txg: number;
}

interface RollbackFields {
  readonly path: string;
  readonly recursive: boolean;
  readonly recursive_clones: boolean;
}

interface ResourceFields {
  readonly paths: readonly string[];
  readonly properties: readonly string[] | null;
  readonly get_children: boolean;
}

const NAMESPACE = 'zfs.resource.snapshot';

/** 26: [stable/26] MW:plugins/zfs/snapshot_crud.py. Each takes one object. */
export function zfsResourceMethods(nas: Nas): MethodTable {
  const { pool } = nas;
  const [reading, writing] = [{ roles: ['SNAPSHOT_READ'] }, { roles: ['SNAPSHOT_WRITE'] }];

  function wanted({ paths, recursive }: Pick<QueryFields, 'paths' | 'recursive'>): (SnapshotFacts & { id: string })[] {
    return pool.table
      .all()
      .filter(
        ({ id, dataset }) =>
          paths.length === 0 ||
          paths.some((path) => id === path || dataset === path || (recursive && dataset.startsWith(`${path}/`))),
      );
  }

  async function entry(facts: SnapshotFacts, fields: Partial<QueryFields>): Promise<unknown> {
    const { dataset, name, createtxg, guid } = facts;
    const id = `${dataset}@${name}`;
    return {
      createtxg,
      guid: Number(guid),
      name: id,
      pool: nas.poolName,
      dataset,
      snapshot_name: name,
      type: 'SNAPSHOT',
      holds: fields.get_holds ? facts.holds : null,
      properties: await properties(id, facts, fields),
      user_properties: fields.get_user_properties ? facts.properties : null,
    };
  }

  async function properties(id: string, facts: SnapshotFacts, fields: Partial<QueryFields>): Promise<unknown> {
    const { properties: names, get_source: withSource } = fields;
    if (names === null || names === undefined) return null;
    const { used, referenced } = await pool.sizes(id);
    const values: Record<string, number> = { creation: facts.creation, createtxg: facts.createtxg, used, referenced };
    const source = withSource ? { type: 'NONE', value: null } : null;
    const asked = Object.entries(values).filter(([key]) => names.length === 0 || names.includes(key));
    return Object.fromEntries(asked.map(([key, value]) => [key, { raw: String(value), source, value }]));
  }

  /** Of all properties only `origin`. Below a path, what is internal is left out unless the path is internal itself. */
  function resources({ paths, properties: names, get_children: withChildren }: ResourceFields): unknown[] {
    const isInternal = (path: string): boolean => path.includes('/.truenas_containers');
    const found = pool.datasets().filter((dataset) =>
      paths.some((path) => {
        if (dataset === path) return true;
        const isChild = withChildren && dataset.startsWith(`${path}/`);
        return isChild && (isInternal(path) || !isInternal(dataset));
      }),
    );
    return found.map((name) => {
      const raw = pool.table.originOf(name) ?? '';
      const isAsked = names !== null && (names.length === 0 || names.includes('origin'));
      return {
        createtxg: 1,
        guid: 1,
        name,
        pool: nas.poolName,
        properties: isAsked ? { origin: { raw, source: null, value: raw === '' ? null : raw } } : null,
        type: 'FILESYSTEM',
        user_properties: null,
        children: null,
      };
    });
  }

  return {
    'zfs.resource.query': method<[ResourceFields]>({ roles: ['ZFS_RESOURCE_READ'] }, ([fields]) => resources(fields)),
    [`${NAMESPACE}.query`]: method<[QueryFields]>(reading, ([fields]) => {
      const { min_txg: least, max_txg: most } = fields;
      const inRange = wanted(fields).filter(({ createtxg }) => createtxg >= least && (most === 0 || createtxg <= most));
      return Promise.all(inRange.map((facts) => entry(facts, fields)));
    }),
    [`${NAMESPACE}.count`]: method<[Pick<QueryFields, 'paths' | 'recursive'>]>(reading, ([fields]) => {
      const counts: Record<string, number> = {};
      for (const { dataset } of wanted(fields)) counts[dataset] = (counts[dataset] ?? 0) + 1;
      return counts;
    }),
    [`${NAMESPACE}.create`]: method<[{ dataset: string; name: string; user_properties: Record<string, string> }]>(
      writing,
      async ([{ dataset, name, user_properties: own }]) => {
        refuseProtected(nas, `${NAMESPACE}.create`, dataset);
        if (pool.table.find(`${dataset}@${name}`)) throw failure('create', `${name} already exists.`, 'EEXIST');
        const facts = await pool.snapshot(`${dataset}@${name}`, own).catch(asFailure('create'));
        return entry(facts, { properties: [], get_user_properties: true });
      },
    ),
    [`${NAMESPACE}.destroy`]: method<[{ path: string; all_snapshots: boolean; defer: boolean }]>(
      { roles: ['SNAPSHOT_DELETE'] },
      async ([{ path, all_snapshots: isAll, defer }]) => {
        refuseProtected(nas, `${NAMESPACE}.destroy`, path);
        if (defer) throw new CallError('The test server does not defer the destruction of a snapshot');
        const ids = isAll ? pool.table.of(path).map(({ id }) => id) : [path];
        for (const id of ids) await pool.destroySnapshot(id).catch(asFailure('destroy'));
        return null;
      },
    ),
    [`${NAMESPACE}.rollback`]: method<[RollbackFields]>(
      writing,
      async ([{ path, recursive, recursive_clones: recursiveClones }]) => {
        refuseProtected(nas, `${NAMESPACE}.rollback`, path);
        await pool.rollback(path, { recursive, recursiveClones }).catch(asFailure('rollback'));
        return null;
      },
    ),
    [`${NAMESPACE}.clone`]: method<[{ snapshot: string; dataset: string }]>(
      writing,
      async ([{ snapshot, dataset }]) => {
        refuseProtected(nas, `${NAMESPACE}.clone`, snapshot);
        refuseProtected(nas, `${NAMESPACE}.clone`, dataset);
        await pool.clone(snapshot, dataset).catch(asFailure('clone'));
        return null;
      },
    ),
    [`${NAMESPACE}.hold`]: method<[{ path: string; tag: string }]>(writing, async ([{ path, tag }]) => {
      refuseProtected(nas, `${NAMESPACE}.hold`, path);
      await pool.hold(path, tag).catch(asFailure('hold'));
      return null;
    }),
    [`${NAMESPACE}.holds`]: method<[{ path: string }]>(reading, ([{ path }]) => [
      ...(pool.table.find(path)?.holds ?? []),
    ]),
    [`${NAMESPACE}.release`]: method<[{ path: string; tag: string | null }]>(writing, async ([{ path, tag }]) => {
      refuseProtected(nas, `${NAMESPACE}.release`, path);
      await pool.release(path, tag ?? undefined).catch(asFailure('release'));
      return null;
    }),
    [`${NAMESPACE}.rename`]: method<[{ current_name: string; new_name: string }]>(
      writing,
      async ([{ current_name: id, new_name: to }]) => {
        refuseProtected(nas, `${NAMESPACE}.rename`, id);
        await pool.rename(id, to.split('@')[1] ?? to).catch(asFailure('rename'));
        return null;
      },
    ),
  };
}

function failure(action: string, text: string, errno: keyof typeof ERRNO): ValidationErrors {
  return new ValidationErrors([[`${NAMESPACE}.${action}`, text, ERRNO[errno]]], 'ValidationError');
}

function asFailure(action: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof ZfsError)) throw error;
    if (error.message.includes('does not exist')) throw failure(action, error.message, 'ENOENT');
    throw new CallError(error.message);
  };
}
