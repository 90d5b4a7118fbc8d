import { parse, TomlError } from 'smol-toml';
import * as z from 'zod/mini';
import { PixelsError } from '../sandbox/errors';
import { completeStep, joined, stepSchema, type Step } from './step';

/** What is put into a sandbox, as data: an ordered list of steps. */
export interface Recipe {
  /** The file's name without its ending: `agent`. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** Those of the recipe that it begins with and of those that it includes come first. */
  readonly steps: readonly Step[];
  /** What of the network its steps need: domains, and groups of the egress preset, `@system`. Sorted. */
  readonly network: readonly string[];
  /** The recipe that it begins with: its base is cloned from that one's. */
  readonly from?: string | undefined;
  /** The image that it is for; undefined: any. */
  readonly image?: string | undefined;
}

/** Where a recipe is, and how what it names is found from there. */
export interface RecipeSurroundings {
  /** The file as a person knows it, for errors. */
  readonly where: string;
  /** The text of a `script_file`. */
  readonly read: (file: string) => Promise<string>;
  /** The recipe that it begins with. */
  readonly from: (id: string) => Promise<Recipe>;
  /** One whose steps it includes. */
  readonly include: (id: string) => Promise<Recipe>;
}

const ID = z.string().check(z.regex(/^[a-z]([a-z0-9-]{0,39}[a-z0-9])?$/));
const recipeSchema = z.strictObject({
  title: z.string().check(z.regex(/^[^\t\r\n]{1,80}$/)),
  description: z.optional(z.string()),
  from: z.optional(ID),
  include: z.optional(z.array(ID)),
  network: z.optional(z.array(z.string().check(z.regex(/^@?[^\s@,]{1,255}$/)))),
  steps: z.optional(z.array(stepSchema).check(z.minLength(1))),
});

/**
 * A recipe from its TOML text.
 * @throws PixelsError `config` that names the file and the key.
 */
export async function parseRecipe(id: string, toml: string, around: RecipeSurroundings): Promise<Recipe> {
  const refuse = (what: string, cause?: unknown): never => {
    throw new PixelsError('config', `${around.where}: ${what}.`, { cause });
  };
  if (!ID.safeParse(id).success) refuse(`"${id}" cannot name a recipe: use small letters, digits and hyphens`);
  const parsed = z.safeParse(recipeSchema, tomlTable(toml, refuse));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refuse(`${pathOf(issue?.path ?? [])} ${problemOf(issue)}`, parsed.error);
  }
  const { title, description = '', from, include = [], network = [], steps = [] } = parsed.data;
  const first = from === undefined ? undefined : await around.from(from);
  const others = await Promise.all(include.map((inner) => around.include(inner)));
  const own = await Promise.all(steps.map((step) => completeStep(step, around.read, refuse)));
  const all = joined([first?.steps ?? [], ...others.map((other) => other.steps), own], refuse);
  if (all.length === 0) refuse('it has no steps');
  const needed = [first?.network ?? [], ...others.map((other) => other.network), network].flat();
  return { id, title, description, steps: all, network: [...new Set(needed)].sort(), from, image: first?.image };
}

function tomlTable(toml: string, refuse: (what: string, cause?: unknown) => never): unknown {
  try {
    return parse(toml);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    return refuse(`line ${error.line}: ${error.message.split('\n')[0] ?? ''}`, error);
  }
}

/** The small zod has no words for people. */
function problemOf(issue: z.core.$ZodIssue | undefined): string {
  switch (issue?.code) {
    case 'unrecognized_keys':
      return `has an unknown key, ${issue.keys.join(', ')}`;
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be of type ${issue.expected}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return 'is too small or empty';
    case 'too_big':
      return 'is too big';
    default:
      return 'cannot be this';
  }
}

/** `steps[2].title`, counted as people do. */
function pathOf(path: readonly PropertyKey[]): string {
  return path
    .map((part, at) => (typeof part === 'number' ? `[${part + 1}]` : (at === 0 ? '' : '.') + String(part)))
    .join('');
}
