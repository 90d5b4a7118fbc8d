import * as vscode from 'vscode';
import type { EgressMode } from '../../egress';
import type { Face } from '../face';
import { egressView } from '../egressView';
import { commandId } from '../ids';
import { askChoice } from '../input';
import { oneSandbox } from '../targets';
import type { Node } from '../tree/node';
import { changeEgress, doneWords } from './egress/changePolicy';
import { modeChoices } from './egress/modeChoices';

/** Asks what a sandbox may reach, and makes it so; the mode that it has is put in force again. Lists and groups stay. */
export async function setEgressMode(face: Face, node?: Node): Promise<void> {
  const sandbox = await oneSandbox(face, node, { title: vscode.l10n.t('Set Egress Mode') });
  if (sandbox === undefined) return;
  const { name } = sandbox;
  const answer = await askChoice<EgressMode>({
    title: vscode.l10n.t('Set Egress Mode of {0}', name),
    placeholder: vscode.l10n.t('What may it reach?'),
    choices: modeNow(face, sandbox.state.egress).then((now) => modeChoices(now, vscode.l10n.t('as it is now'))),
  });
  if (answer.kind !== 'answer') return;
  const { value: mode } = answer;
  const isInForce = await changeEgress(face, name, async (pixels) => {
    const { changeToMode } = await import('../../app/egressMode');
    return changeToMode(pixels, mode);
  });
  if (isInForce === undefined) return;
  const allow = vscode.l10n.t('Allow Domain…');
  const done = doneWords(vscode.l10n.t('The egress of {0} is {1}', name, mode), isInForce);
  const buttons = mode === 'allowlist' ? [allow] : [];
  if ((await vscode.window.showInformationMessage(done, ...buttons)) === allow) {
    await vscode.commands.executeCommand(commandId('allowDomain'), face.tree.node(name));
  }
}

/** Undefined where what is kept cannot be read. */
async function modeNow({ current }: Face, text: string | undefined): Promise<EgressMode | undefined> {
  if (text === undefined) return 'unrestricted';
  const view = await current.use((pixels) => egressView(pixels, text));
  return view.kind === 'policy' ? view.mode : undefined;
}
