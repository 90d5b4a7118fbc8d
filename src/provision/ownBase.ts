import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import { PixelsError } from '../sandbox/errors';
import type { Recipe } from './recipe';

/** A base of the person's own, as `[mcp.bases.NAME]` has it: `image` or `from`, and never both. */
export interface OwnBase {
  readonly image?: string | undefined;
  /** Another base, or a recipe. */
  readonly from?: string | undefined;
  /** The whole path of a script that root runs in it, once. */
  readonly setupScript?: string | undefined;
  readonly description?: string | undefined;
}

/**
 * The recipe of a base of the person's own: the one that it begins with, and its script as one more step.
 * @throws PixelsError `config` when the script cannot be read.
 */
export async function recipeOfBase(
  name: string,
  { image, from, setupScript, description = '' }: OwnBase,
  find: (id: string) => Promise<Recipe>,
): Promise<Recipe> {
  const parent = from === undefined ? undefined : await find(from);
  const script = setupScript === undefined ? ':' : runningAsFile(await contentOf(name, setupScript));
  const step = {
    id: `setup-${name}`,
    title: `the setup script of ${name}`,
    as: 'root',
    needs: [],
    sources: [{ title: '', script }],
    timeoutMinutes: 60,
    retries: 0, // nobody says that it can be run twice
  } as const;
  const steps = [...(parent?.steps ?? []), step];
  return {
    id: name,
    title: name,
    description,
    steps,
    network: parent?.network ?? [],
    from,
    image: image ?? parent?.image,
  };
}

async function contentOf(name: string, file: string): Promise<string> {
  try {
    return await fs.readFile(file, 'utf8');
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new PixelsError('config', `mcp.bases.${name}: the setup script ${file} cannot be read (${code}).`, {
      cause: error,
    });
  }
}

/** A step's script is read by sh; this one is whatever its first line says. */
function runningAsFile(script: string): string {
  const whole = script.startsWith('#!') ? script : `#!/bin/sh\n${script}`;
  // Nothing in it may end the here-document, and the same script must give the same text.
  const end = `END_${createHash('sha256').update(whole).digest('hex').slice(0, 24)}`;
  const lines = [
    'file=$(mktemp /usr/local/lib/pixels/setup.XXXXXX)',
    `cat >"$file" <<'${end}'`,
    whole.replace(/\n?$/, ''),
    end,
    'chmod 700 "$file"',
    'status=0',
    '"$file" || status=$?',
    'rm -f "$file"',
    'exit $status',
  ];
  return `${lines.join('\n')}\n`;
}
