import { parse, TomlError } from 'smol-toml';
import * as z from 'zod/mini';
import { isKind, PixelsError } from '../sandbox/errors';
import { formatEntry, parseEntry, type Entry } from './entry';
import shipped from './presets.toml';

/** Entries that belong together, for a person to see and to switch off. */
export interface Group {
  readonly id: string;
  readonly title: string;
  /** Whether it counts where nobody has said anything about it. */
  readonly enabled: boolean;
  readonly entries: readonly Entry[];
}

/** What the mode `agent` allows, in the order in which it is shown. */
export type Preset = readonly Group[];

const GROUP_ID = /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/;

const fileSchema = z.strictObject({
  agent: z.optional(
    z.record(
      z.string().check(z.regex(GROUP_ID)),
      z.strictObject({
        title: z.optional(z.string().check(z.regex(/^[^\t\r\n]{1,80}$/))),
        enabled: z.optional(z.boolean()),
        allow: z.optional(z.array(z.string())),
      }),
    ),
  ),
});

/**
 * The groups that come with Pixels and those of the person's own file. A group of the same name takes from the file what the file
 * says about it, and keeps the rest.
 * @param own the file's text and its name for errors.
 * @throws PixelsError `config` that names the file and the place in it.
 */
export function agentPreset(own?: { readonly text: string; readonly where: string }): Preset {
  const groups = new Map<string, Group>();
  for (const { text, where } of [{ text: shipped, where: 'presets.toml' }, ...(own === undefined ? [] : [own])]) {
    for (const [id, given] of Object.entries(groupsIn(text, where))) {
      const before = groups.get(id) ?? { id, title: id, enabled: true, entries: [] };
      groups.set(id, {
        id,
        title: given.title ?? before.title,
        enabled: given.enabled ?? before.enabled,
        entries: given.allow?.map((typed) => entryIn(typed, `${where}: agent.${id}`)) ?? before.entries,
      });
    }
  }
  return [...groups.values()];
}

/** @throws PixelsError `invalid` that lists those there are. */
export function findGroup(preset: Preset, typed: string): Group {
  const group = preset.find(({ id }) => id === typed.toLowerCase());
  if (group !== undefined) return group;
  throw new PixelsError('invalid', `There is no group "${typed}".`, {
    hint: `There are ${preset.map(({ id }) => `@${id}`).join(', ')}.`,
  });
}

/** The group that names exactly this entry, if one does. */
export function groupWith(preset: Preset, entry: Entry): Group | undefined {
  const text = formatEntry(entry);
  return preset.find(({ entries }) => entries.some((other) => formatEntry(other) === text));
}

type GivenGroups = NonNullable<z.infer<typeof fileSchema>['agent']>;

function groupsIn(text: string, where: string): GivenGroups {
  const refuse = (what: string, cause: unknown): never => {
    throw new PixelsError('config', `${where}: ${what}.`, { cause });
  };
  let tables: unknown;
  try {
    tables = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    return refuse(`line ${error.line}: ${error.message.split('\n')[0] ?? ''}`, error);
  }
  const parsed = z.safeParse(fileSchema, tables);
  if (parsed.success) return parsed.data.agent ?? {};
  const [issue] = parsed.error.issues;
  const place = issue?.path.join('.') ?? '';
  const unknown =
    issue?.code === 'unrecognized_keys' ? ` has an unknown key, ${issue.keys.join(', ')}` : ' cannot be this';
  return refuse(`${place === '' ? 'the file' : place}${unknown}`, parsed.error);
}

function entryIn(typed: string, where: string): Entry {
  try {
    return parseEntry(typed);
  } catch (error) {
    if (!isKind(error, 'invalid')) throw error;
    throw new PixelsError('config', `${where}: ${error.message}`, {
      cause: error,
      ...(error.hint ? { hint: error.hint } : {}),
    });
  }
}
