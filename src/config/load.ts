import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { PixelsError } from '../sandbox/errors';
import { readBasesSection } from './basesSection';
import { readConfigFile, type ConfigFile } from './configFile';
import { readEnvSection } from './envSection';
import { SETTINGS, type Config, type ConfigOverrides, type NamedSetting } from './schema';

export interface LoadOptions {
  /** Instead of {@link configPath}. */
  readonly file?: string | undefined;
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly overrides?: ConfigOverrides | undefined;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Sentences about what is odd but does no harm. */
  readonly warnings: readonly string[];
  /** The file that was read, or would have been if it existed. */
  readonly file: string;
}

/**
 * The configuration: built-in defaults, then the file, then PIXELS_* variables, then overrides; the latter win.
 * A missing file is an empty one.
 * @throws PixelsError `config`, naming the file, line and key, or the variable.
 */
export async function loadConfig(options: LoadOptions = {}): Promise<LoadedConfig> {
  const env = options.env ?? process.env;
  const file = options.file ?? configPath(env);
  const fromFile = await readConfigFile(file, homeOf(env));
  const values = merge(fromFile, env, options.overrides ?? {});
  const config = {
    ...values,
    env: readEnvSection(fromFile, env),
    mcp: (fromFile.tables['mcp'] ?? {}) as Config['mcp'],
    bases: readBasesSection(fromFile, homeOf(env)),
  } as Config;
  return { config: deepFreeze(config), warnings: [...fromFile.warnings, ...(await modeWarning(fromFile))], file };
}

/** `$XDG_CONFIG_HOME/pixels/config.toml`, by default under `~/.config`. */
export function configPath(env: NodeJS.ProcessEnv = process.env): string {
  const configHome = env['XDG_CONFIG_HOME'];
  // The specification says that a relative path is to be ignored.
  const directory = configHome && path.isAbsolute(configHome) ? configHome : path.join(homeOf(env), '.config');
  return path.join(directory, 'pixels', 'config.toml');
}

/** Where a value came from, in rising order of rank. */
const RANKS = ['default', 'weak', 'file', 'env', 'override'] as const;
type Rank = (typeof RANKS)[number];
interface Ranked {
  readonly value: unknown;
  readonly rank: Rank;
}

function merge(file: ConfigFile, env: NodeJS.ProcessEnv, overrides: ConfigOverrides): Record<string, unknown> {
  const byKey = new Map(SETTINGS.map((named) => [named.key, highest(named, file, env, overrides)]));
  chooseServer(byKey);
  const values: Record<string, unknown> = {};
  for (const { path: where, key, setting } of SETTINGS) {
    let { value } = byKey.get(key) ?? { value: undefined };
    if (setting.options.path) {
      const base = byKey.get(key)?.rank === 'file' ? path.dirname(file.path) : '';
      const expand = (text: string) => expandPath(text, homeOf(env), base);
      if (typeof value === 'string') value = expand(value);
      else if (Array.isArray(value)) value = value.map((item) => expand(String(item)));
    }
    const [first = '', second] = where;
    if (second === undefined) values[first] = value;
    else values[first] = { ...(values[first] as object | undefined), [second]: value };
  }
  return values;
}

/** Every layer is checked, also one that does not win: a mistake is better found now than when a variable goes away. */
function highest(named: NamedSetting, file: ConfigFile, env: NodeJS.ProcessEnv, overrides: ConfigOverrides): Ranked {
  const { key, envNames, path: where, setting } = named;
  let winner: Ranked = { value: setting.fallback, rank: 'default' };
  const consider = (raw: unknown, rank: Rank, source: string) => {
    if (raw === undefined || raw === null || raw === '') return;
    const value = setting.kind.check(raw);
    if (value === undefined) throw wrongValue(source, named, raw);
    winner = { value, rank };
  };
  const fromEnv = (name: string | undefined, rank: Rank) => {
    const typed = name === undefined ? undefined : env[name];
    if (typed) consider(setting.kind.fromText(typed), rank, name ?? '');
  };
  fromEnv(setting.options.weakEnv, 'weak');
  consider(file.value(key), 'file', file.locate(key));
  for (const name of [...envNames].reverse()) fromEnv(name, 'env');
  consider(at(overrides, where), 'override', `The setting ${key}`);
  return winner;
}

/** A socket and a remote exclude each other: whoever speaks with the higher rank decides; in one place, the remote. */
function chooseServer(byKey: Map<string, Ranked>): void {
  const nobody: Ranked = { value: undefined, rank: 'default' };
  const rankOf = (key: string) => RANKS.indexOf((byKey.get(key) ?? nobody).rank);
  if (byKey.get('incus.remote')?.value === undefined) return;
  byKey.set(rankOf('incus.socket') > rankOf('incus.remote') ? 'incus.remote' : 'incus.socket', nobody);
}

function wrongValue(source: string, { key, setting }: NamedSetting, raw: unknown): PixelsError {
  const subject = source.includes(key) || source.startsWith('PIXELS_') ? source : `${source}: ${key}`;
  const got = setting.options.secret ? '' : `, not ${JSON.stringify(raw)}`;
  return new PixelsError('config', `${subject} must be ${setting.kind.expected}${got}.`);
}

function at(value: unknown, where: readonly string[]): unknown {
  return where.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value);
}

/** An API key in a file that others can read deserves a word. */
async function modeWarning(file: ConfigFile): Promise<string[]> {
  if (process.platform === 'win32' || typeof file.value('truenas.api_key') !== 'string') return [];
  const { mode } = await fs.stat(file.path);
  if ((mode & 0o077) === 0) return [];
  return [`${file.shown} holds an API key and can be read by other users: run "chmod 600 ${file.path}".`];
}

function homeOf(env: NodeJS.ProcessEnv): string {
  return env['HOME'] || os.homedir();
}

function expandPath(value: string, home: string, base: string): string {
  if (value === '~' || value.startsWith('~/')) return path.join(home, value.slice(1));
  return path.isAbsolute(value) ? value : path.join(base, value);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
