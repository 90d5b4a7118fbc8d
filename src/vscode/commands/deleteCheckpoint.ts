import * as vscode from 'vscode';
import { refuseWithClones } from '../../sandbox/linkedClones';
import { runAction } from '../action';
import type { Face } from '../face';
import { oneCheckpoint } from '../targets';
import { age } from '../tree/format';
import type { Node } from '../tree/node';
import { requireCheckpoints } from './requireCheckpoints';

/** Deletes a checkpoint after asking. The sandbox itself does not change. */
export async function deleteCheckpoint(face: Face, node?: Node): Promise<void> {
  if (node === undefined) await requireCheckpoints(face);
  const chosen = await oneCheckpoint(face, node, vscode.l10n.t('Delete Checkpoint'));
  if (chosen === undefined) return;
  const { name } = chosen.sandbox;
  const { label, createdAt } = chosen.checkpoint;
  await face.current.use(({ host }) => refuseWithClones(host, { name, label }));
  const remove = vscode.l10n.t('Delete');
  const question = vscode.l10n.t('Delete checkpoint {0} of {1}?', label, name);
  const detail = vscode.l10n.t(
    'It was taken {0}. The sandbox stays as it is, but can no longer be taken back to this state.',
    age(createdAt),
  );
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, remove)) !== remove) return;
  const title = vscode.l10n.t('Deleting checkpoint {0} of {1}', label, name);
  await runAction(face, { title, rows: [name] }, ({ lifecycle }, run) => lifecycle.deleteCheckpoint(name, label, run));
}
