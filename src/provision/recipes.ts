import fs from 'node:fs/promises';
import path from 'node:path';
import { PixelsError } from '../sandbox/errors';
import { recipeOfBase, type OwnBase } from './ownBase';
import type { Recipe, RecipeSurroundings } from './recipe';

/** Where a person's own recipes are. */
export interface RecipePlaces {
  /** `~/.config/pixels/recipes`: `agent.toml` there takes the place of the one that comes with Pixels. */
  readonly directory?: string | undefined;
  /** Bases of the person's own are recipes too, and take the place of any other of their name. */
  readonly bases?: Readonly<Record<string, OwnBase>> | undefined;
}

/** The name under which a recipe is found again from anywhere: a file's whole path. */
export function referenceTo(wanted: string): string {
  return isFile(wanted) ? path.resolve(wanted) : wanted;
}

/** Whether a recipe is named by the path of its file: by one with a slash or ending in `.toml`. */
export function isFile(wanted: string): boolean {
  return wanted.includes('/') || wanted.includes(path.sep) || wanted.endsWith('.toml');
}

/**
 * A recipe by its id or its file's path. `script_file`s are beside the recipe.
 * @throws PixelsError `not-found` that lists those there are; `config`, also where recipes begin with each other in a circle.
 */
export function findRecipe(wanted: string, places: RecipePlaces): Promise<Recipe> {
  return find(wanted, places, []);
}

/** Ids of all recipes, the person's own among them, sorted. */
export async function recipeIds({ directory, bases = {} }: RecipePlaces): Promise<readonly string[]> {
  const { SHIPPED_RECIPES } = await import('./shippedRecipes');
  const files = directory === undefined ? [] : await fs.readdir(directory).catch(() => []);
  const own = files.filter((file) => file.endsWith('.toml')).map((file) => file.slice(0, -'.toml'.length));
  return [...new Set([...Object.keys(SHIPPED_RECIPES), ...own, ...Object.keys(bases)])].sort();
}

/** @param chain what has led here, each beginning with or including the next. */
async function find(wanted: string, places: RecipePlaces, chain: readonly string[]): Promise<Recipe> {
  const before = chain.indexOf(wanted);
  if (before !== -1) {
    const circle = [...chain.slice(before), wanted].join(' → ');
    throw new PixelsError('config', `Bases and recipes are made from each other in a circle: ${circle}.`);
  }
  const onward = [...chain, wanted];
  const from = (id: string): Promise<Recipe> => find(id, places, onward);
  const include = async (id: string): Promise<Recipe> => (await partOf(id)) ?? from(id);
  const { directory, bases = {} } = places;

  if (isFile(wanted)) {
    const recipe = await fromFile(path.resolve(wanted), { from, include });
    if (recipe === undefined) throw new PixelsError('not-found', `There is no recipe file ${wanted}.`);
    return recipe;
  }
  const base = Object.hasOwn(bases, wanted) ? bases[wanted] : undefined;
  if (base !== undefined) return recipeOfBase(wanted, base, from);
  const own =
    directory === undefined ? undefined : await fromFile(path.join(directory, `${wanted}.toml`), { from, include });
  const found = own ?? (await shipped('SHIPPED_RECIPES', wanted, { from, include }));
  if (found !== undefined) return found;
  const ids = (await recipeIds(places)).join(', ');
  if (chain.length > 0) {
    throw new PixelsError('config', `There is no recipe "${wanted}": ${onward.join(' → ')}.`, {
      hint: `There are ${ids}.`,
    });
  }
  throw new PixelsError('not-found', `There is no recipe "${wanted}".`, {
    hint: `There are ${ids}; a path to a file will do too.`,
  });
}

type Finders = Pick<RecipeSurroundings, 'from' | 'include'>;

/** A part of a recipe that comes with Pixels, for several recipes to include. */
function partOf(id: string): Promise<Recipe | undefined> {
  const include = async (inner: string): Promise<Recipe> =>
    (await partOf(inner)) ?? Promise.reject(new Error(`no such part: ${inner}`));
  return shipped('SHIPPED_PARTS', id, { from: include, include });
}

async function shipped(
  kind: 'SHIPPED_RECIPES' | 'SHIPPED_PARTS',
  id: string,
  finders: Finders,
): Promise<Recipe | undefined> {
  const [all, { parseRecipe }] = await Promise.all([import('./shippedRecipes'), import('./recipe')]);
  const toml = Object.hasOwn(all[kind], id) ? all[kind][id] : undefined;
  if (toml === undefined) return undefined;
  const read = (file: string): Promise<string> => {
    const script = all.SHIPPED_SCRIPTS[file];
    return script === undefined ? Promise.reject(new Error(`no such script: ${file}`)) : Promise.resolve(script);
  };
  return parseRecipe(id, toml, { where: `recipe ${id}`, read, ...finders });
}

async function fromFile(file: string, finders: Finders): Promise<Recipe | undefined> {
  let toml: string;
  try {
    toml = await fs.readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new PixelsError('config', `The recipe ${file} cannot be read (${code ?? 'unknown error'}).`, {
      cause: error,
    });
  }
  const { parseRecipe } = await import('./recipe');
  const read = (script: string): Promise<string> => fs.readFile(path.resolve(path.dirname(file), script), 'utf8');
  return parseRecipe(path.basename(file, '.toml'), toml, { where: file, read, ...finders });
}
