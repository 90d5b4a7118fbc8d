import * as vscode from 'vscode';
import type { Face } from '../face';
import type { Node } from '../tree/node';
import { changePolicy } from './egress/changePolicy';
import { restrictedSandbox } from './egress/restrictedSandbox';

/** Shows the groups of the mode `agent` with check boxes, and switches those that a person changes on and off, all at once. */
export async function chooseEgressGroups(face: Face, node?: Node): Promise<void> {
  const title = vscode.l10n.t('Choose Egress Groups');
  const restricted = await restrictedSandbox(face, node, title, ['agent']);
  if (restricted === undefined) return;
  const { name, policy, preset } = restricted;
  const { allowing, denying, formatEntry, isOn } = await import('../../egress');
  const choices = preset.map((group) => ({
    label: group.title,
    description: `@${group.id}`,
    detail: group.entries.map(formatEntry).join(', '),
    picked: isOn(policy, group),
    id: group.id,
  }));
  const picked = await vscode.window.showQuickPick(choices, {
    title: vscode.l10n.t('Egress Groups of {0}', name),
    placeHolder: vscode.l10n.t('What may it reach, beside your own list?'),
    canPickMany: true,
    matchOnDescription: true,
    matchOnDetail: true,
  });
  if (picked === undefined) return;
  const changed = choices.filter((choice) => choice.picked !== picked.includes(choice));
  if (changed.length === 0) return;
  await changePolicy(
    face,
    name,
    (before, groups) =>
      changed.reduce((now, choice) => (choice.picked ? denying : allowing)(now, `@${choice.id}`, groups), before),
    () => vscode.l10n.t('{0} may reach {1} of {2} groups', name, picked.length, choices.length),
  );
}
