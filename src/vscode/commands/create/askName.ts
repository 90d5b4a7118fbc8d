import * as vscode from 'vscode';
import { nameProblem, parseName, type SandboxName } from '../../../sandbox/name';
import { askText, type Answer, type Position } from '../../input';

export interface NameQuestion {
  readonly title: string;
  readonly taken: ReadonlySet<SandboxName>;
  readonly value?: string | undefined;
  readonly position?: Position | undefined;
}

/** Asks for the name of a new sandbox; says while it is typed what is wrong with it, or that it is taken. */
export async function askName({ title, taken, value, position }: NameQuestion): Promise<Answer<SandboxName>> {
  const answer = await askText({
    title,
    position,
    value,
    prompt: vscode.l10n.t('Name of the new sandbox'),
    placeholder: vscode.l10n.t('for example: web'),
    problem: (text) => {
      const problem = nameProblem(text);
      if (problem !== undefined) return problem;
      const name = parseName(text);
      return taken.has(name) ? vscode.l10n.t('There is already a sandbox "{0}".', name) : undefined;
    },
  });
  return answer.kind === 'answer' ? { kind: 'answer', value: parseName(answer.value) } : answer;
}

/** A name like the given one that is free: `web-2`. */
export function freeName(name: SandboxName, taken: ReadonlySet<SandboxName>): string {
  const base = name.replace(/-\d+$/, '').slice(0, 56);
  for (let number = 2; ; number++) {
    const candidate = `${base}-${number}` as SandboxName;
    if (!taken.has(candidate)) return candidate;
  }
}
