import * as vscode from 'vscode';
import type { Pixels } from '../../app/pixels';
import { decide, decision } from '../decisions';
import type { Face } from '../face';
import { askAboutChange, shownPath } from './diff';

/**
 * Makes sure, with the person's consent, that their SSH configuration includes ours.
 * @returns whether it does now; when not, ssh and Remote-SSH do not know the sandboxes' names.
 */
export async function ensureIncluded(face: Face, { ssh }: Pixels): Promise<boolean> {
  const plan = await ssh.planInclude();
  if (plan.kind === 'present') return true;
  if (plan.kind === 'read-only') {
    await explainReadOnly(plan.path, plan.line);
    return false;
  }
  if (decision(face.memory, 'ssh.include') === 'never' && !(await reconsider(plan.path))) return false;
  const add = vscode.l10n.t('Add the Line');
  const never = vscode.l10n.t('Never');
  const answer = await askAboutChange(plan, {
    text: vscode.l10n.t('Add one line to {0}?', shownPath(plan.path)),
    detail: vscode.l10n.t(
      'With it, ssh and Remote-SSH know every sandbox by its name. Nothing else is changed: see the comparison behind this question. "Pixels: Remove SSH Integration" takes the line out again.',
    ),
    buttons: [add, never],
  });
  if (answer === never) await decide(face.memory, 'ssh.include', 'never');
  if (answer !== add) return false;
  await ssh.applyInclude(plan);
  await decide(face.memory, 'ssh.include', undefined);
  return true;
}

async function reconsider(path: string): Promise<boolean> {
  const show = vscode.l10n.t('Show the Line');
  const text = vscode.l10n.t('Windows in a sandbox need one line in {0}, which you chose not to add.', shownPath(path));
  return (await vscode.window.showInformationMessage(text, show)) === show;
}

async function explainReadOnly(path: string, line: string): Promise<void> {
  const copy = vscode.l10n.t('Copy the Line');
  const text = vscode.l10n.t('{0} cannot be written. Add this as its first line: {1}', shownPath(path), line);
  if ((await vscode.window.showWarningMessage(text, copy)) === copy) await vscode.env.clipboard.writeText(line);
}
