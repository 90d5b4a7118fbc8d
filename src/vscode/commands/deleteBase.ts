import * as vscode from 'vscode';
import { runAction } from '../action';
import type { Face } from '../face';
import type { Node } from '../tree/node';
import { askBase } from './bases/askBase';

/** Deletes a base after asking. Sandboxes that were cloned from it stay. */
export async function deleteBase(face: Face, node?: Node): Promise<void> {
  const name = await askBase(face, node, {
    title: vscode.l10n.t('Delete Base'),
    suits: ({ sandbox }) => sandbox !== undefined,
    none: vscode.l10n.t('No base has been built.'),
  });
  if (name === undefined) return;
  const remove = vscode.l10n.t('Delete');
  const question = vscode.l10n.t('Delete the base {0}?', name);
  const detail = vscode.l10n.t('Sandboxes that were cloned from it stay. It can be built again, which takes a while.');
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, remove)) !== remove) return;
  const title = vscode.l10n.t('Deleting the base {0}', name);
  await runAction(face, { title, rows: [] }, ({ bases }, run) => bases.delete(name, run));
}
