import * as vscode from 'vscode';
import { instanceOfBase, type BaseName } from '../../../sandbox/base';
import { runAction } from '../../action';
import { buildingWords } from '../../baseBuilds';
import type { Face } from '../../face';

/** Builds a base with progress that can be cancelled, and says when it is complete. @param again also where it is already. */
export async function build(face: Face, name: BaseName, again: boolean): Promise<void> {
  const action = { title: buildingWords(name), rows: [instanceOfBase(name)] };
  const outcome = await runAction(face, action, ({ bases }, run) => face.builds.build(bases, name, { again }, run));
  if (outcome.kind !== 'ok') return;
  const text = outcome.value
    ? vscode.l10n.t('The base {0} is complete. New sandboxes are cloned from it.', name)
    : vscode.l10n.t('The base {0} is up to date.', name);
  void vscode.window.showInformationMessage(text);
}
