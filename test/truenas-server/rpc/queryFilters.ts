import { CallError, ERRNO, ValidationErrors } from './errors';

export interface QueryOptions {
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly order_by?: readonly string[];
  readonly select?: readonly (string | readonly string[])[];
  readonly count?: boolean;
  readonly get?: boolean;
  readonly offset?: number;
  readonly limit?: number;
}

export type Row = Readonly<Record<string, unknown>>;

/**
 * `query-filters` and `query-options` on rows in memory (MW:utils/filter_list.py). Throws {@link ValidationErrors} where `get` finds
 * nothing, and a {@link CallError} for a filter that is none.
 */
export function filterRows(rows: readonly Row[], filters: readonly unknown[], options: QueryOptions = {}): unknown {
  const matching = rows.filter((row) => filters.every((filter) => matches(row, filter)));
  if (options.count) return matching.length;
  const ordered = (options.order_by ?? []).reduce(inOrder, matching);
  const selected = options.select?.length ? ordered.map((row) => select(row, options.select ?? [])) : ordered;
  if (options.get) {
    if (selected.length === 0)
      throw new ValidationErrors([[null, 'Object does not exist', ERRNO.ENOENT]], 'InstanceNotFound');
    return selected[0];
  }
  const page = selected.slice(options.offset ?? 0);
  return options.limit ? page.slice(0, options.limit) : page;
}

/** The attributes that filters look at, `OR` included. */
export function filteredAttributes(filters: readonly unknown[]): Set<string> {
  return new Set(filters.flatMap((filter) => attributesOf(filter as unknown[])));
}

function attributesOf(filter: readonly unknown[]): string[] {
  if (filter.length === 3) return [String(filter[0])];
  return (filter[1] as unknown[][]).flatMap((branch) =>
    Array.isArray(branch[0]) ? branch.flatMap((f) => attributesOf(f as unknown[])) : attributesOf(branch),
  );
}

type Compare = (source: unknown, value: unknown) => boolean;

const OPERATORS: Record<string, Compare> = {
  '=': (source, value) => isSame(source, value),
  '!=': (source, value) => !isSame(source, value),
  '>': (source, value) => (source as number) > (value as number),
  '>=': (source, value) => (source as number) >= (value as number),
  '<': (source, value) => (source as number) < (value as number),
  '<=': (source, value) => (source as number) <= (value as number),
  '~': (source, value) => new RegExp(`^(?:${String(value)})`).test(String(source)), // Python's re.match
  in: (source, value) => (value as unknown[]).some((item) => isSame(source, item)),
  nin: (source, value) => !(value as unknown[]).some((item) => isSame(source, item)),
  rin: (source, value) => source !== null && (source as { includes(item: unknown): boolean }).includes(value),
  rnin: (source, value) => source !== null && !(source as { includes(item: unknown): boolean }).includes(value),
  '^': (source, value) => typeof source === 'string' && source.startsWith(String(value)),
  '!^': (source, value) => typeof source === 'string' && !source.startsWith(String(value)),
  $: (source, value) => typeof source === 'string' && source.endsWith(String(value)),
  '!$': (source, value) => typeof source === 'string' && !source.endsWith(String(value)),
};

function matches(row: unknown, filter: unknown): boolean {
  if (!Array.isArray(filter)) throw new CallError(`Invalid filter ${JSON.stringify(filter)}`, 'EINVAL');
  if (filter.length === 2) {
    const [operator, branches] = filter as [unknown, unknown[][]];
    if (operator !== 'OR' || !Array.isArray(branches))
      throw new CallError(`Invalid operation: ${String(operator)}`, 'EINVAL');
    return branches.some((branch) =>
      Array.isArray(branch[0]) ? branch.every((part) => matches(row, part)) : matches(row, branch),
    );
  }
  if (filter.length !== 3) throw new CallError(`Invalid filter ${JSON.stringify(filter)}`, 'EINVAL');
  const [name, operator, value] = filter as [unknown, unknown, unknown];
  const ignoresCase = String(operator).startsWith('C') && String(operator).length > 1;
  const compare = OPERATORS[ignoresCase ? String(operator).slice(1) : String(operator)];
  if (!compare) throw new CallError(`Invalid operation: ${String(operator)}`, 'EINVAL');
  const source = valueAt(row, String(name));
  if (source === undefined) return false;
  return ignoresCase ? compare(folded(source), folded(value)) : compare(source, value);
}

function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

function folded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(folded);
  return typeof value === 'string' ? value.toLowerCase() : value;
}

/** Dots separate, a backslash before one does not. */
function valueAt(row: unknown, path: string): unknown {
  let current: unknown = row;
  for (const key of path.split(/(?<!\\)\./).map((part) => part.replaceAll('\\.', '.'))) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = (current as Record<string, unknown>)[key];
  }
  return current;
}

function select(row: Row, wanted: readonly (string | readonly string[])[]): Row {
  const kept: Record<string, unknown> = {};
  for (const item of wanted) {
    const [path, name] = typeof item === 'string' ? [item, item] : [item[0] ?? '', item[1] ?? ''];
    const value = valueAt(row, path);
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

function inOrder(rows: readonly Row[], by: string): readonly Row[] {
  const path = by.replace(/^nulls_(first|last):/, '').replace(/^-/, '');
  const sign = /^(nulls_(first|last):)?-/.test(by) ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [one, other] = [valueAt(a, path), valueAt(b, path)] as [number, number];
    return one < other ? -sign : one > other ? sign : 0;
  });
}
