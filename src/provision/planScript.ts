import { randomBytes } from 'node:crypto';
import installScript from './guest/install.sh';
import library from './guest/library.sh';
import service from './guest/pixels-provision.service';
import runScript from './guest/run.sh';
import type { Recipe } from './recipe';
import type { Step } from './step';

/** What a plan needs to know besides its recipe. */
export interface PlanOptions {
  /** The sandbox's user, for the steps that are done as it. */
  readonly user: string;
  /** Address of the npm registry that the person's own npm uses; undefined where that is not known. */
  readonly npmRegistry: string | undefined;
}

/** A shell script that puts a recipe's plan and what carries it out into a sandbox, and begins. To be run as root. */
export function planScript(recipe: Pick<Recipe, 'steps'>, { user, npmRegistry }: PlanOptions): string {
  const files = new Map<string, string>([
    ['/usr/local/lib/pixels/run.sh', runScript],
    ['/usr/local/lib/pixels/library.sh', library],
    ['/etc/systemd/system/pixels-provision.service', service],
    ['$base/user', `${user}\n`],
    ['$base/npm-registry', npmRegistry === undefined ? '' : `${npmRegistry}\n`],
  ]);
  recipe.steps.forEach((step, index) => {
    const directory = `$base/plan/${String(index + 1).padStart(2, '0')}-${step.id}`;
    for (const [name, text] of stepFiles(step)) files.set(`${directory}/${name}`, text);
  });
  // Nothing in the files may end a here-document.
  const end = `END_${randomBytes(9).toString('hex')}`;
  const directories = new Set([...files.keys()].map((file) => file.slice(0, file.lastIndexOf('/'))));
  const lines = [
    `mkdir -p ${[...directories].map((directory) => `"${directory}"`).join(' ')}`,
    ...[...files].map(([file, text]) => `cat >"${file}" <<'${end}'\n${withNewline(text)}${end}`),
  ];
  return installScript.replace('# FILES\n', () => `${lines.join('\n')}\n`);
}

function stepFiles(step: Step): [string, string][] {
  return [
    ['title', `${step.title}\n`],
    ['as', `${step.as}\n`],
    ['needs', `${step.needs.join(' ')}\n`],
    ['minutes', `${step.timeoutMinutes}\n`],
    ['retries', `${step.retries}\n`],
    ...(step.optional === true ? [['optional', ''] as [string, string]] : []),
    ...(step.check === undefined ? [] : [['check', step.check] as [string, string]]),
    ...step.sources.flatMap(({ title, answers, script }, index): [string, string][] => [
      [`sources/${index + 1}/title`, `${title}\n`],
      ...(answers === undefined ? [] : [[`sources/${index + 1}/answers`, `${answers}\n`] as [string, string]]),
      [`sources/${index + 1}/script`, script],
    ]),
  ];
}

function withNewline(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
