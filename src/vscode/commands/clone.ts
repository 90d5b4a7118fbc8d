import * as vscode from 'vscode';
import type { Face } from '../face';
import { oneSandbox } from '../targets';
import type { Node } from '../tree/node';
import { askName, freeName } from './create/askName';
import { existingNames } from './create/existingNames';
import { makeSandbox } from './create/makeSandbox';

/** Makes an independent copy of a sandbox as it is now, after asking for a name. */
export async function cloneSandbox(face: Face, node?: Node): Promise<void> {
  const source = await oneSandbox(face, node, { title: vscode.l10n.t('Clone') });
  if (source === undefined) return;
  const taken = await face.current.use(({ host }) => existingNames(host));
  const title = vscode.l10n.t('Clone {0}', source.name);
  const answer = await askName({ title, taken, value: freeName(source.name, taken) });
  if (answer.kind === 'answer') await makeSandbox(face, answer.value, { from: { name: source.name } }, {});
}
