import type { Config } from '../../config';
import type { Bases } from '../../sandbox/bases';
import { ok, type Finding } from '../../sandbox/check';
import type { Lifecycle } from '../../sandbox/lifecycle';
import { usualRecipe } from '../order';

/**
 * What new sandboxes get, and whether all that it needs on this machine is there.
 * @throws PixelsError `config`, `not-found` where something is not, as a create would.
 */
export async function provisioningFinding(config: Config, lifecycle: Lifecycle): Promise<Finding> {
  const { enabled } = config.provision;
  const recipe = usualRecipe(config);
  await lifecycle.prepare({ provision: enabled, recipe });
  if (!enabled) return ok('New sandboxes are exactly what their image is: provision.enabled is false.');
  return ok(`New sandboxes get a user, SSH and ${recipe === undefined ? 'no recipe' : `the recipe "${recipe}"`}.`);
}

/**
 * Whether there is a base with this recipe, from which new sandboxes are cloned.
 * @throws PixelsError `config`, `not-found` and what the server throws.
 */
export async function baseFinding(
  recipe: string,
  bases: Pick<Bases, 'catalog' | 'bestSource'>,
  signal: AbortSignal,
): Promise<Finding> {
  const name = bases.catalog.nameOf(recipe);
  const { recipe: remaining } = await bases.bestSource(name, signal);
  if (remaining === undefined) return ok(`The base "${name}" is ready: its clones have the recipe in them.`);
  return {
    ...ok(`The base "${name}" is not ready, so that the recipe is carried out in each new sandbox.`),
    advice: `"pixels base build ${name}" makes it.`,
  };
}
