import path from 'node:path';
import { PixelsError } from '../sandbox/errors';
import type { ConfigFile } from './configFile';
import { nearest } from './nearest';
import type { OwnBase } from './schema';

const KEYS = ['parent_image', 'from', 'setup_script', 'description'] as const;

/**
 * `[mcp.bases.NAME]`: parent_image or from, setup_script, description. A script's path is relative to the file.
 * @throws PixelsError `config`: a wrong type, an unknown key, both or neither parent. Whether the parents are there, and lead
 * anywhere, is seen when they are needed.
 */
export function readBasesSection(file: ConfigFile, home: string): Record<string, OwnBase> {
  const section = file.value('mcp.bases') ?? {};
  if (!isTable(section)) throw refusal(file, 'mcp.bases', 'must be a table, [mcp.bases.NAME]');
  return Object.fromEntries(Object.entries(section).map(([name, raw]) => [name, readBase(file, home, name, raw)]));
}

function readBase(file: ConfigFile, home: string, name: string, raw: unknown): OwnBase {
  const key = `mcp.bases.${name}`;
  if (!/^[a-z]([a-z0-9-]{0,39}[a-z0-9])?$/.test(name)) {
    throw refusal(file, key, 'cannot name a base: use small letters, digits and hyphens, 41 at most');
  }
  if (!isTable(raw)) throw refusal(file, key, `must be a table, [${key}]`);
  for (const [inner, value] of Object.entries(raw)) {
    if (!KEYS.some((known) => known === inner)) {
      const guess = nearest(inner, KEYS);
      throw refusal(
        file,
        `${key}.${inner}`,
        `is no key of a base${guess === undefined ? '' : `; did you mean ${guess}?`}`,
      );
    }
    if (typeof value !== 'string' || value.trim() === '' || /[\0\r\n]/.test(value)) {
      throw refusal(file, `${key}.${inner}`, 'must be a text of one line');
    }
  }
  const { parent_image: image, from, setup_script: script, description } = raw as Partial<Record<string, string>>;
  if (image !== undefined && from !== undefined) throw refusal(file, key, 'has both parent_image and from');
  if (image === undefined && from === undefined) throw refusal(file, key, 'has neither parent_image nor from');
  return {
    image,
    from,
    setupScript: script === undefined ? undefined : wholePath(script, file.path, home),
    description,
  };
}

function wholePath(script: string, configFile: string, home: string): string {
  if (script === '~' || script.startsWith('~/')) return path.join(home, script.slice(1));
  return path.resolve(path.dirname(configFile), script);
}

function refusal(file: ConfigFile, key: string, what: string): PixelsError {
  return new PixelsError('config', `${file.locate(key)}: ${key} ${what}.`);
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
