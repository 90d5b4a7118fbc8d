import * as z from 'zod/mini';

/** One thing that is put in. It is skipped where its check says that it is there. */
export interface Step {
  /** Unique in its recipe; also the name of its log. */
  readonly id: string;
  /** Completes "installing …". */
  readonly title: string;
  /** Who does it: root, or the sandbox's user in its home directory. */
  readonly as: 'root' | 'user';
  /** Ids of steps that must have passed before. */
  readonly needs: readonly string[];
  /** A shell script that ends with 0 where there is nothing to do. Absent: done once is done. */
  readonly check?: string | undefined;
  /** When it fails, it is left out, and the recipe has not failed. */
  readonly optional?: boolean | undefined;
  /** Where it can come from, best first: the first one that answers and works. */
  readonly sources: readonly StepSource[];
  readonly timeoutMinutes: number;
  /** How often it is tried again, with growing pauses. */
  readonly retries: number;
}

/** One way to do a step. */
export interface StepSource {
  /** For the log and the tree: "the npm registry". */
  readonly title: string;
  /** An address that has to answer within 10 s, or the next source is taken. */
  readonly answers?: string | undefined;
  /** A POSIX shell script; functions of guest/library.sh are there. */
  readonly script: string;
}

/** Says what is wrong with the recipe. */
type Refuse = (what: string, cause?: unknown) => never;

const ID = z.string().check(z.regex(/^[a-z][a-z0-9-]{0,40}$/));
const sentence = z.string().check(z.regex(/^[^\t\r\n]{1,80}$/));
const script = { script: z.optional(z.string()), script_file: z.optional(z.string()) };
const sourceSchema = z.strictObject({
  title: sentence,
  answers: z.optional(z.url({ protocol: /^https?$/ })),
  ...script,
});

/** A step as it is written. */
export const stepSchema = z.strictObject({
  id: ID,
  title: z.optional(sentence),
  as: z.optional(z.enum(['root', 'user'])),
  needs: z.optional(z.array(ID)),
  optional: z.optional(z.boolean()),
  check: z.optional(z.string()),
  packages: z.optional(z.array(z.string().check(z.regex(/^[a-z0-9][a-z0-9+.-]+$/))).check(z.minLength(1))),
  ...script,
  sources: z.optional(z.array(sourceSchema).check(z.minLength(1))),
  timeout_minutes: z.optional(z.number().check(z.positive(), z.maximum(24 * 60))),
  retries: z.optional(z.int().check(z.minimum(0), z.maximum(10))),
});

/** A written step with its scripts read and its defaults filled in. */
export async function completeStep(
  raw: z.infer<typeof stepSchema>,
  read: (file: string) => Promise<string>,
  refuse: Refuse,
): Promise<Step> {
  const { id, title = id, as = 'root', needs = [], optional, check, packages, sources, timeout_minutes, retries } = raw;
  const ways = [packages, raw.script, raw.script_file, sources].filter((way) => way !== undefined);
  if (ways.length !== 1) refuse(`step "${id}" must have exactly one of packages, script, script_file and sources`);
  if (packages !== undefined && as === 'user') refuse(`step "${id}" installs packages, which only root can do`);
  const textOf = async (from: { script?: string | undefined; script_file?: string | undefined }): Promise<string> => {
    if (from.script !== undefined && from.script_file === undefined) return from.script;
    if (from.script_file === undefined || from.script !== undefined)
      return refuse(`each source of step "${id}" must have either script or script_file`);
    const file = from.script_file;
    return read(file).catch((error: unknown) => refuse(`step "${id}": ${file} cannot be read`, error));
  };
  const list = packages?.join(' ');
  return {
    id,
    title,
    as,
    needs,
    optional,
    check: check ?? (list === undefined ? undefined : `have_packages ${list}`),
    sources:
      list === undefined
        ? await Promise.all(
            (sources ?? [{ ...raw, title: '', answers: undefined }]).map(async (source) => ({
              title: source.title,
              answers: source.answers,
              script: await textOf(source),
            })),
          )
        : [{ title: '', script: `install_packages ${list}` }],
    timeoutMinutes: timeout_minutes ?? 15,
    retries: retries ?? 3,
  };
}

/** The steps of several recipes in their order; one that two of them have included is there once. */
export function joined(recipes: readonly (readonly Step[])[], refuse: Refuse): readonly Step[] {
  const byId = new Map<string, Step>();
  for (const steps of recipes) {
    const others = new Map(byId);
    for (const step of steps) {
      const same = JSON.stringify(others.get(step.id)) === JSON.stringify(step);
      if (byId.has(step.id) && !same) refuse(`there are two steps "${step.id}"`);
      // Only what stands above it can be needed: the order that a person reads is the order in which it is done.
      const missing = step.needs.find((need) => !byId.has(need));
      if (missing !== undefined) refuse(`step "${step.id}" needs "${missing}", which is no step above it`);
      if (!same) byId.set(step.id, step);
    }
  }
  return [...byId.values()];
}
