import fs from 'node:fs/promises';
import { parse, TomlError } from 'smol-toml';
import { PixelsError } from '../sandbox/errors';
import { lineOfKey } from './lineOfKey';
import { nearest } from './nearest';
import { OPEN_SECTIONS, SETTINGS, WITHOUT_EFFECT } from './schema';

type Table = Readonly<Record<string, unknown>>;

const KEYS = SETTINGS.map(({ key }) => key);
const SECTIONS = [...new Set(KEYS.filter((key) => key.includes('.')).map((key) => key.slice(0, key.indexOf('.'))))];

/** The configuration file as it is, not yet checked against the schema. */
export interface ConfigFile {
  readonly path: string;
  /** The path as a person reads it: `~/.config/pixels/config.toml`. */
  readonly shown: string;
  readonly tables: Table;
  /** Keys that nobody knows. */
  readonly warnings: readonly string[];
  /** The value of `section.key`, or undefined. */
  value(key: string): unknown;
  /** `~/.config/pixels/config.toml:7`, where the key is. */
  locate(key: string): string;
}

/**
 * Reads and parses the file. One that does not exist is empty.
 * @throws PixelsError `config`: it cannot be read, or is no TOML (with line and column).
 */
export async function readConfigFile(file: string, home: string): Promise<ConfigFile> {
  const shown = file.startsWith(`${home}/`) ? `~${file.slice(home.length)}` : file;
  const content = await contentOf(file, shown);
  const tables = parseToml(content, shown);
  const locate = (key: string) => {
    const line = lineOfKey(content, key);
    return line === undefined ? shown : `${shown}:${line}`;
  };
  for (const name of [...SECTIONS, ...OPEN_SECTIONS]) requireTable(tables, name, locate);
  const warnings = unknownKeys(tables).map((key) => `${locate(key)}: ${aboutUnknown(key)}`);
  return { path: file, shown, tables, warnings, value: (key) => valueAt(tables, key), locate };
}

async function contentOf(file: string, shown: string): Promise<string> {
  try {
    return (await fs.readFile(file, 'utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return '';
    throw new PixelsError('config', `${shown} cannot be read (${code ?? 'unknown error'}).`, { cause: error });
  }
}

function parseToml(content: string, shown: string): Table {
  try {
    return parse(content);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // Below the first line the parser quotes the file, which may hold a secret; for the same reason there is no cause.
    const what = (error.message.split('\n')[0] ?? '').replace(/^Invalid TOML document: /, '');
    throw new PixelsError('config', `${shown}:${error.line}:${error.column}: ${what}.`);
  }
}

function requireTable(tables: Table, name: string, locate: (key: string) => string): void {
  const value = tables[name];
  if (value === undefined || isTable(value)) return;
  throw new PixelsError('config', `${locate(name)}: ${name} must be a table, [${name}].`);
}

function unknownKeys(tables: Table): string[] {
  return Object.entries(tables).flatMap(([name, value]) => {
    if (OPEN_SECTIONS.includes(name)) return [];
    const keys = isTable(value) ? Object.keys(value).map((inner) => `${name}.${inner}`) : [name];
    const unknown = keys.filter((key) => !KEYS.includes(key));
    // A section that nobody knows is one mistake, not one for each of its keys.
    return SECTIONS.includes(name) || keys.some((key) => key in WITHOUT_EFFECT)
      ? unknown
      : unknown.length > 0
        ? [name]
        : [];
  });
}

function aboutUnknown(key: string): string {
  const why = WITHOUT_EFFECT[key];
  if (why !== undefined) return `${key} has no effect: ${why}.`;
  const guess = nearest(key, [...KEYS, ...SECTIONS, ...OPEN_SECTIONS]);
  return `unknown key ${key}${guess === undefined ? '' : `; did you mean ${guess}?`}`;
}

function valueAt(tables: Table, key: string): unknown {
  return key.split('.').reduce<unknown>((inner, part) => (isTable(inner) ? inner[part] : undefined), tables);
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
