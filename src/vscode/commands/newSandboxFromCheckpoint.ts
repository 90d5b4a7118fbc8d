import * as vscode from 'vscode';
import type { Face } from '../face';
import { oneCheckpoint } from '../targets';
import type { Node } from '../tree/node';
import { askName, freeName } from './create/askName';
import { existingNames } from './create/existingNames';
import { makeSandbox } from './create/makeSandbox';
import { requireCheckpoints } from './requireCheckpoints';

/** Makes a sandbox that starts as another one was at a checkpoint, after asking for a name. */
export async function newSandboxFromCheckpoint(face: Face, node?: Node): Promise<void> {
  if (node === undefined) await requireCheckpoints(face);
  const source = await oneCheckpoint(face, node, vscode.l10n.t('New Sandbox from Checkpoint'));
  if (source === undefined) return;
  const { name } = source.sandbox;
  const { label } = source.checkpoint;
  const taken = await face.current.use(({ host }) => existingNames(host));
  const title = vscode.l10n.t('New Sandbox from {0} of {1}', label, name);
  const answer = await askName({ title, taken, value: freeName(name, taken) });
  if (answer.kind === 'answer') await makeSandbox(face, answer.value, { from: { name, label } }, {});
}
