import * as z from 'zod/mini';
import { isKind } from '../../sandbox/errors';
import type { TrueNasApi } from '../api';
import type { About } from '../errors';
import { parseSnapshot } from './names';

/*
 * ZFS snapshots of one dataset, over `zfs.snapshot.*` (25.04) or `pool.snapshot.*` (25.10 and later). On 25.x a query
 * looks at every snapshot of every pool and reads its properties, except in two cases (MW:plugins/zfs_/snapshot.py,
 * `query`): only names are selected, by name, pool or dataset; or one snapshot is asked for by its id. So a listing is
 * one of the first, and one of the second for each snapshot.
 */

/** A snapshot, whoever has taken it. */
export interface Snapshot {
  /** The part after the `@`. */
  readonly name: string;
  readonly createdAt: Date;
  /** What it alone takes up, in bytes. */
  readonly sizeBytes: number | undefined;
  /** The transaction that it was taken in: snapshots of one second have an order too. */
  readonly transaction: bigint;
}

/** So many details are asked for at a time; the connection has 10 calls in flight at most. */
const AT_A_TIME = 8;

const namesSchema = z.array(z.object({ name: z.string() }));
const propertySchema = z.object({ rawvalue: z.string() });
const detailSchema = z.object({
  createtxg: z.string(),
  properties: z.object({ creation: propertySchema, used: z.optional(propertySchema) }),
});

interface Options {
  readonly about?: About | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Names (after the `@`) of the snapshots of a dataset, in no order. Empty where there is no such dataset. */
export async function snapshotNames(api: TrueNasApi, dataset: string, options: Options = {}): Promise<string[]> {
  const found = await queryNames(api, [['dataset', '=', dataset]], options);
  return found.map((id) => parseSnapshot(id).snapshot);
}

/** Full names of all snapshots whose full name matches a regular expression (of Python, from the beginning). */
export function matchingSnapshots(api: TrueNasApi, pattern: string, options: Options = {}): Promise<string[]> {
  return queryNames(api, [['name', '~', pattern]], options);
}

/** These snapshots of a dataset, oldest first. Those that have gone meanwhile are left out. */
export async function describeSnapshots(
  api: TrueNasApi,
  dataset: string,
  names: readonly string[],
  options: Options = {},
): Promise<Snapshot[]> {
  const found: Snapshot[] = [];
  for (let first = 0; first < names.length; first += AT_A_TIME) {
    const group = names.slice(first, first + AT_A_TIME);
    found.push(...(await Promise.all(group.map((name) => describe(api, dataset, name, options)))).flat());
  }
  return found.sort((a, b) => (a.transaction < b.transaction ? -1 : 1));
}

/** Takes a snapshot. @throws `exists`. */
export async function takeSnapshot(api: TrueNasApi, dataset: string, name: string, options: Options): Promise<void> {
  await call(api, 'create', [{ dataset, name }], z.unknown(), options);
}

/** Never with `defer`: that leaves a snapshot that cannot be had nor removed, until its last clone is gone. */
export async function removeSnapshot(api: TrueNasApi, dataset: string, name: string, options: Options): Promise<void> {
  await call(api, 'delete', [`${dataset}@${name}`, {}], z.unknown(), options);
}

/**
 * The dataset is as it was, and all newer snapshots are gone, whosever they are. Never with `recursive_clones`: that
 * destroys other instances.
 */
export async function rollBackTo(api: TrueNasApi, dataset: string, name: string, options: Options): Promise<void> {
  await call(api, 'rollback', [`${dataset}@${name}`, { recursive: true }], z.unknown(), options);
}

async function queryNames(api: TrueNasApi, filters: readonly unknown[], options: Options): Promise<string[]> {
  const rows = await noneIfGone(call(api, 'query', [filters, { select: ['name'] }], namesSchema, options));
  return rows.map(({ name }) => name);
}

async function noneIfGone<T>(rows: Promise<T[]>): Promise<T[]> {
  try {
    return await rows;
  } catch (error) {
    if (isKind(error, 'not-found')) return [];
    throw error;
  }
}

async function describe(api: TrueNasApi, dataset: string, name: string, options: Options): Promise<Snapshot[]> {
  const extra = { properties: ['creation', 'used'] };
  const rows = await noneIfGone(
    call(api, 'query', [[['id', '=', `${dataset}@${name}`]], { extra }], z.array(detailSchema), options),
  );
  return rows.map(({ createtxg, properties: { creation, used } }) => ({
    name,
    createdAt: new Date(Number(creation.rawvalue) * 1000),
    sizeBytes: used === undefined ? undefined : Number(used.rawvalue),
    transaction: BigInt(createtxg),
  }));
}

async function call<T>(
  api: TrueNasApi,
  method: string,
  params: readonly unknown[],
  result: z.ZodMiniType<T>,
  { about, signal }: Options,
): Promise<T> {
  const snapshots = await api.snapshotMethods(signal);
  return api.call(`${snapshots}.${method}`, params, result, { about, signal });
}
