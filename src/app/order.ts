import type { BaseName } from '../sandbox/base';
import type { Source } from '../sandbox/lifecycle';
import type { Limits } from '../sandbox/sandbox';
import type { Pixels } from './pixels';

/** What a new sandbox is to be made of, in a person's words; nothing at all is the base of `provision.recipe`. */
export interface Wish {
  readonly from?: Extract<Source, { from: unknown }>['from'] | undefined;
  readonly image?: string | undefined;
  /** The base to clone, or to do the same as. */
  readonly base?: BaseName | undefined;
  /** What is put in; default: what is usual for what it is made of. */
  readonly recipe?: string | undefined;
}

/** What a sandbox is to be made of. */
export interface Order {
  readonly source: Source;
  /** Limits that the configuration gives it, where no others are asked for; none for a copy, which has its source's. */
  readonly defaults: Limits;
  readonly recipe?: string | undefined;
  /** A base that would have been better than that, had it been there, and may be built by itself. */
  readonly baseToBuild?: BaseName | undefined;
}

/** The recipe of sandboxes for which nobody names one; undefined: they get none. */
export function usualRecipe({ provision: { enabled, devtools, recipe } }: Pixels['config']): string | undefined {
  return enabled && devtools ? recipe : undefined;
}

/** The base that sandboxes are cloned from when nobody names one. Undefined where they get no recipe. */
export function usualBase({ config, bases }: Pick<Pixels, 'config' | 'bases'>): BaseName | undefined {
  const recipe = usualRecipe(config);
  return recipe === undefined ? undefined : bases.catalog.nameOf(recipe);
}

/**
 * The best way to what is wished now.
 * @param isProvisioned false: it is to be exactly what it is made of.
 * @throws PixelsError `not-found`, `config` about a base.
 */
export async function orderFor(
  pixels: Pick<Pixels, 'config' | 'bases'>,
  { from, image, base, recipe }: Wish,
  isProvisioned: boolean,
  signal?: AbortSignal,
): Promise<Order> {
  if (from !== undefined) return { source: { from }, defaults: {}, recipe };
  const { defaults, provision } = pixels.config;
  const isUsual = image === undefined && recipe === undefined;
  const name = isProvisioned ? (base ?? (isUsual ? usualBase(pixels) : undefined)) : undefined;
  if (name === undefined) {
    const placement = { pool: defaults.pool, network: defaults.network };
    const usual = isProvisioned && provision.devtools ? provision.recipe : undefined;
    return { source: { image: image ?? defaults.image, placement }, defaults, recipe: recipe ?? usual };
  }
  const { worthBuilding, ...best } = await pixels.bases.bestSource(name, signal);
  return { ...best, defaults, baseToBuild: worthBuilding && provision.autoBuild ? name : undefined };
}
