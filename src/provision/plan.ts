import { createHash } from 'node:crypto';
import library from './guest/library.sh';
import type { Recipe } from './recipe';

/**
 * What identifies all that a recipe does: SHA-256 in hexadecimal over its steps and the functions that they call. Neither
 * words for people nor the order of keys count; the same recipe always has the same hash, and one that does something else
 * has another.
 */
export function hashOf({ steps }: Pick<Recipe, 'steps'>): string {
  const facts = steps.map(({ id, as, needs, check, sources }) => [
    id,
    as,
    [...needs].sort(),
    check ?? null,
    sources.map(({ answers, script }) => [answers ?? null, script]),
  ]);
  return createHash('sha256')
    .update(JSON.stringify([library, facts]))
    .digest('hex');
}
