import * as vscode from 'vscode';
import { isUnderWay } from '../../sandbox/mark';
import { runAction } from '../action';
import type { Face } from '../face';
import { oneSandbox } from '../targets';
import type { Node } from '../tree/node';

/** Completes a create, clone, restore or destroy whose process died, as its mark says. */
export async function finishInterruptedAction(face: Face, node?: Node): Promise<void> {
  const sandbox = await oneSandbox(face, node, {
    title: vscode.l10n.t('Finish Interrupted Action'),
    suits: ({ mark }) => mark !== undefined && !isUnderWay(mark),
    none: vscode.l10n.t('Nothing was interrupted.'),
  });
  if (sandbox === undefined) return;
  const { name } = sandbox;
  const title = vscode.l10n.t('Finishing {0}', name);
  await runAction(face, { title, rows: [name] }, ({ lifecycle }, run) => lifecycle.finish(name, run));
}
