import { createHash } from 'node:crypto';
import path from 'node:path';
import { parseBaseName, type BaseCatalog, type BaseDefinition, type BaseName } from '../sandbox/base';
import { hashOf } from './plan';
import { findRecipe, isFile, recipeIds, type RecipePlaces } from './recipes';

export interface BaseCatalogOptions extends RecipePlaces {
  /** The image of bases that name none. */
  readonly image: string;
  /** The recipe of sandboxes for which nobody names one: the only one that may be the path of a file. */
  readonly recipe: string;
  /** What else is fixed when a base is made: its user, pool and network. */
  readonly facts: readonly (string | undefined)[];
}

/** Every recipe is a base, and every base a recipe. One that begins with another one is cloned from that one's base. */
export function baseCatalog(options: BaseCatalogOptions): BaseCatalog {
  const define = async (reference: string): Promise<BaseDefinition> => {
    const recipe = await findRecipe(reference, options);
    const { title, description, from, image = options.image } = recipe;
    return {
      name: nameOf(reference),
      description: description === '' ? title : description,
      parent: from === undefined ? undefined : parseBaseName(from),
      image,
      recipe: reference,
      hash: sha256(JSON.stringify([image, hashOf(recipe), options.facts.map((fact) => fact ?? null)])),
    };
  };
  const isConfiguredFile = (name: string): boolean => isFile(options.recipe) && nameOf(options.recipe) === name;
  return {
    nameOf,
    find: (name) => define(isConfiguredFile(name) ? options.recipe : name),
    async all() {
      const configured = isFile(options.recipe) ? [options.recipe] : [];
      const all = await Promise.all([...(await recipeIds(options)), ...configured].map(define));
      return all.sort((a, b) => (a.name < b.name ? -1 : 1));
    },
  };
}

/** Files of the same name in several places are several bases. */
function nameOf(recipe: string): BaseName {
  if (!isFile(recipe)) return parseBaseName(recipe);
  const whole = path.resolve(recipe);
  return parseBaseName(`${path.basename(whole, '.toml').slice(0, 40)}-${sha256(whole).slice(0, 6)}`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
