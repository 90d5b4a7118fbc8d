import { ZfsError } from './snapshotTable';
import type { ZfsPool } from './pool';

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
  /** A command that the caller has to run itself, in its own mount namespace. */
  readonly run?: readonly string[];
}

export function usageError(text: string, exitCode = 2): Outcome {
  return { stdout: '', stderr: `${text}\n`, exitCode };
}

type Command = (pool: ZfsPool, args: readonly string[], input: string) => Promise<string> | string;

/** The part of `zfs` that somebody may want in a cron job. An option that is not here is an error, as an unknown one is with `zfs`. */
export async function runZfs(pool: ZfsPool, [name = '', ...args]: readonly string[], input: string): Promise<Outcome> {
  const command = COMMANDS[ALIASES[name] ?? name];
  if (!command) return usageError(name === '' ? 'missing command' : `unrecognized command '${name}'`);
  try {
    return { stdout: await command(pool, args, input), stderr: '', exitCode: 0 };
  } catch (error) {
    if (error instanceof UsageError) return usageError(error.message);
    if (error instanceof ZfsError) return usageError(error.message, 1);
    throw error;
  }
}

/** What `zfs send` writes in place of a stream: the receiver finds the content itself. */
const STREAM = /^PIXELS-ZFS-STREAM (\S.*)\n$/;

const COMMANDS: Readonly<Record<string, Command>> = {
  list(pool, args) {
    const { flags, values, rest } = parsed(args, { flags: 'Hpr', values: 'ot' });
    const columns = (values.get('o')?.[0] ?? 'name,used,avail,refer,mountpoint').split(',');
    const types = (values.get('t')?.[0] ?? 'filesystem').split(',');
    const all = [
      ...(types.some((type) => ['filesystem', 'fs', 'all'].includes(type)) ? pool.datasets() : []),
      ...(types.some((type) => ['snapshot', 'snap', 'all'].includes(type)) ? pool.table.all().map(({ id }) => id) : []),
    ];
    for (const name of rest) requireAny(pool, name);
    const isWanted = (name: string): boolean =>
      rest.length === 0 ||
      rest.some(
        (wanted) =>
          name === wanted || (flags.has('r') && (name.startsWith(`${wanted}/`) || name.startsWith(`${wanted}@`))),
      );
    const rows = all.filter(isWanted).map((name) => columns.map((column) => property(pool, name, column)).join('\t'));
    const header = flags.has('H') ? [] : [columns.map((column) => column.toUpperCase()).join('\t')];
    return [...header, ...rows].map((line) => `${line}\n`).join('');
  },

  async snapshot(pool, args) {
    const { values, rest } = parsed(args, { flags: '', values: 'o' });
    if (rest.length === 0) throw new UsageError('missing snapshot argument');
    for (const id of rest) {
      await pool.snapshot(id, assignments(values.get('o') ?? [])).catch((error: unknown) => {
        if (!(error instanceof ZfsError) || error.message !== 'dataset already exists') throw error;
        throw new ZfsError(`cannot create snapshot '${id}': dataset already exists`);
      });
    }
    return '';
  },

  send(pool, args) {
    const { rest } = parsed(args, { flags: '', values: '' });
    const [id, ...more] = rest;
    if (id === undefined || more.length > 0)
      throw new UsageError(id === undefined ? 'missing snapshot argument' : 'too many arguments');
    pool.table.required(id);
    return `PIXELS-ZFS-STREAM ${id}\n`;
  },

  async receive(pool, args, input) {
    const { flags, values, rest } = parsed(args, { flags: 'Fu', values: 'o' });
    const [dataset, ...more] = rest;
    if (dataset === undefined || more.length > 0) throw new UsageError('missing snapshot argument');
    if (input === '') throw new ZfsError('cannot receive: failed to read from stream');
    const id = STREAM.exec(input)?.[1];
    if (id === undefined) throw new ZfsError('cannot receive: invalid stream (bad magic number)');
    await pool.receive(id, dataset, { force: flags.has('F'), properties: assignments(values.get('o') ?? []) });
    return '';
  },

  async clone(pool, args) {
    const { values, rest } = parsed(args, { flags: 'p', values: 'o' });
    const [id, dataset, ...more] = rest;
    if (id === undefined || dataset === undefined || more.length > 0)
      throw new UsageError('missing source dataset argument');
    await pool.clone(id, dataset, assignments(values.get('o') ?? []));
    return '';
  },

  async destroy(pool, args) {
    const { flags, rest } = parsed(args, { flags: 'rf', values: '' });
    const [name, ...more] = rest;
    if (name === undefined || more.length > 0)
      throw new UsageError(name === undefined ? 'missing dataset argument' : 'too many arguments');
    if (name.includes('@')) await pool.destroySnapshot(name);
    else await pool.destroyDataset(name, { recursive: flags.has('r') });
    return '';
  },

  get(pool, args) {
    const { flags, values, rest } = parsed(args, { flags: 'Hp', values: 'o' });
    const [properties, ...names] = rest;
    if (properties === undefined) throw new UsageError('missing property argument');
    const columns = (values.get('o')?.[0] ?? 'name,property,value,source').split(',');
    const lines = names.flatMap((name) => {
      requireAny(pool, name);
      return properties.split(',').map((key) => {
        const facts: Record<string, string> = { name, property: key, value: property(pool, name, key), source: '-' };
        return columns.map((column) => facts[column] ?? '-').join('\t');
      });
    });
    const header = flags.has('H') ? [] : [columns.map((column) => column.toUpperCase()).join('\t')];
    return [...header, ...lines].map((line) => `${line}\n`).join('');
  },

  async set(pool, args) {
    const { rest } = parsed(args, { flags: 'u', values: '' });
    const pairs = rest.filter((argument) => argument.includes('='));
    const names = rest.filter((argument) => !argument.includes('='));
    if (pairs.length === 0 || names.length === 0) throw new UsageError('missing property=value argument');
    for (const name of names) {
      for (const [key, value] of Object.entries(assignments(pairs))) await pool.setProperty(name, key, value);
    }
    return '';
  },

  /** Every data set of 26 is to be had at its mountpoint anyway, see PoolLayout. */
  mount(pool, args) {
    const { rest } = parsed(args, { flags: '', values: 'o' });
    const [dataset, ...more] = rest;
    if (dataset === undefined || more.length > 0) throw new UsageError('missing filesystem argument');
    pool.requireDataset(dataset);
    if (pool.table.propertiesOf(dataset)['mountpoint'] === 'legacy')
      throw new ZfsError(`cannot mount '${dataset}': legacy mountpoint`);
    return '';
  },

  async inherit(pool, args) {
    const { rest } = parsed(args, { flags: 'rS', values: '' });
    const [key, ...names] = rest;
    if (key === undefined || names.length === 0) throw new UsageError('missing dataset argument');
    for (const name of names) await pool.setProperty(name, key, null);
    return '';
  },
};

const ALIASES: Readonly<Record<string, string>> = { recv: 'receive', snap: 'snapshot' };

class UsageError extends Error {}

function property(pool: ZfsPool, name: string, key: string): string {
  const snapshot = pool.table.find(name);
  if (key === 'name') return name;
  if (key === 'type') return snapshot ? 'snapshot' : 'filesystem';
  if (snapshot) {
    const { creation, createtxg, guid, properties } = snapshot;
    const known: Record<string, string> = {
      creation: String(creation),
      createtxg: String(createtxg),
      guid,
      clones: pool.table.clonesOf(name).join(','),
    };
    return known[key] ?? properties[key] ?? '-';
  }
  if (key === 'origin') return pool.table.originOf(name) ?? '-';
  return pool.table.propertiesOf(name)[key] ?? DEFAULTS[key] ?? '-';
}

/** How Incus makes a container's data set (document 5.1). */
const DEFAULTS: Readonly<Record<string, string>> = {
  canmount: 'noauto',
  mountpoint: 'legacy',
  readonly: 'off',
  compression: 'lz4',
};

function requireAny(pool: ZfsPool, name: string): void {
  if (name.includes('@')) pool.table.required(name);
  else pool.requireDataset(name);
}

function assignments(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [key = '', ...value] = pair.split('=');
      if (value.length === 0) throw new UsageError(`missing '=' for property=value argument`);
      return [key, value.join('=')];
    }),
  );
}

/** getopt: letters may be joined, and a value may follow its letter at once. */
function parsed(
  args: readonly string[],
  { flags, values }: { flags: string; values: string },
): { flags: Set<string>; values: Map<string, string[]>; rest: string[] } {
  const found = { flags: new Set<string>(), values: new Map<string, string[]>(), rest: [] as string[] };
  const waiting = [...args];
  for (let argument = waiting.shift(); argument !== undefined; argument = waiting.shift()) {
    if (!argument.startsWith('-') || argument === '-') {
      found.rest = [argument, ...waiting];
      break;
    }
    for (let letters = argument.slice(1); letters !== '';) {
      const letter = letters.charAt(0);
      letters = letters.slice(1);
      if (flags.includes(letter)) found.flags.add(letter);
      else if (values.includes(letter)) {
        const value = letters === '' ? waiting.shift() : letters;
        if (value === undefined) throw new UsageError(`missing argument for '${letter}' option`);
        found.values.set(letter, [...(found.values.get(letter) ?? []), value]);
        letters = '';
      } else throw new UsageError(`invalid option '${letter}'`);
    }
  }
  return found;
}
