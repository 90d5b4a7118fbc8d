import { createInterface } from 'node:readline';
import { PixelsError } from '../sandbox/errors';
import { outputOf } from '../sandbox/exec';
import type { RecipeSetup } from '../sandbox/guest';
import type { Run, SandboxHost } from '../sandbox/host';
import type { SandboxName } from '../sandbox/name';
import type { ProvisionProgress } from '../sandbox/provisioning';
import { editorServerStep } from './editorServer';
import followScript from './guest/follow.sh';
import { hashOf } from './plan';
import { planScript } from './planScript';
import { NOTHING_YET, withLine } from './progress';
import { findRecipe, referenceTo, type RecipePlaces } from './recipes';
import type { Step } from './step';

export interface RecipeSetupOptions extends RecipePlaces {
  /** The sandbox's user, for the steps that are done as it. */
  readonly user: string;
  /** Address of the npm registry that the person's own npm uses; asked for only when a recipe is put in. */
  readonly npmRegistry?: (() => Promise<string | undefined>) | undefined;
}

/** What follow.sh prints where there is no plan. */
const ABSENT = 'absent';

/** Recipes carried out by a systemd unit inside the sandbox, which writes down how far it is. */
export function recipeSetup(options: RecipeSetupOptions): RecipeSetup {
  const putIn = async (host: SandboxHost, name: SandboxName, what: string, steps: readonly Step[], run: Run) => {
    const script = planScript({ steps }, { user: options.user, npmRegistry: await options.npmRegistry?.() });
    const { exitCode, stderr } = await outputOf(host, name, { command: ['sh', '-s'] }, run.signal, script);
    if (exitCode === 0) return;
    const reason = stderr.trim().split('\n').at(-1) ?? '';
    throw new PixelsError('failed', `The recipe ${what} could not be put into ${name}: ${reason}`, {
      cause: new Error(`install.sh ended with ${exitCode}: ${stderr}`),
    });
  };
  return {
    async check(wanted) {
      await findRecipe(wanted, options);
    },

    async begin(host, name, wanted, run, editor) {
      const recipe = await findRecipe(wanted, options);
      const extra = editor && editorServerStep(editor);
      await putIn(host, name, recipe.id, [...recipe.steps, ...(extra ? [extra] : [])], run);
      return { recipe: referenceTo(wanted), hash: hashOf(recipe), outcome: 'running' };
    },

    async addEditorServer(host, name, editor, run) {
      const step = editorServerStep(editor);
      if (step !== undefined) await putIn(host, name, step.id, [step], run);
      return step !== undefined;
    },

    async look(host, name, signal) {
      const { stdout } = await outputOf(host, name, { command: followCommand('once') }, signal);
      if (stdout.trim() === ABSENT) return undefined;
      return stdout.split('\n').reduce(withLine, NOTHING_YET);
    },

    async follow(host, name, onProgress, signal) {
      const session = await host.exec(name, { command: followCommand('follow') }, signal);
      let progress: ProvisionProgress = NOTHING_YET;
      try {
        for await (const line of createInterface({ input: session.stdout })) {
          if (line === ABSENT) return undefined;
          progress = withLine(progress, line);
          onProgress(progress);
          if (progress.outcome === 'done' || progress.outcome === 'failed') return progress;
        }
        await session.exitCode; // rejects when the connection broke, or somebody cancelled
        return progress;
      } finally {
        session.close();
      }
    },
  };
}

function followCommand(how: 'once' | 'follow'): string[] {
  return ['sh', '-c', followScript, 'pixels', how];
}
