import * as vscode from 'vscode';
import type { Face } from '../face';
import type { Node } from '../tree/node';
import { changePolicy } from './egress/changePolicy';

/** Lets a sandbox reach a group of the mode `agent` again: that of the row. */
export function switchGroupOn(face: Face, node?: Node): Promise<void> {
  return switchGroup(face, node, true);
}

/** Takes a group of the mode `agent` away from what a sandbox may reach: that of the row. */
export function switchGroupOff(face: Face, node?: Node): Promise<void> {
  return switchGroup(face, node, false);
}

async function switchGroup(face: Face, node: Node | undefined, on: boolean): Promise<void> {
  if (node?.kind !== 'group') return;
  const { sandbox: name, id } = node;
  const { allowing, denying } = await import('../../egress');
  const change = on ? allowing : denying;
  await changePolicy(
    face,
    name,
    (policy, preset) => change(policy, `@${id}`, preset),
    (_, preset) => {
      const title = preset.find((group) => group.id === id)?.title ?? id;
      return on
        ? vscode.l10n.t('{0} may reach the group "{1}"', name, title)
        : vscode.l10n.t('{0} may not reach the group "{1}" any more', name, title);
    },
  );
}
