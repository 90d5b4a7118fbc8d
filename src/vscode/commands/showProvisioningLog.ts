import * as vscode from 'vscode';
import { PixelsError } from '../../sandbox/errors';
import type { Face } from '../face';
import { oneSandbox } from '../targets';
import type { Node } from '../tree/node';

/** Opens what the steps of a sandbox's recipe have printed, as a document that grows with it. */
export async function showProvisioningLog(face: Face, node?: Node): Promise<void> {
  const sandbox = await oneSandbox(face, node, {
    title: vscode.l10n.t('Show Provisioning Log'),
    suits: ({ status, state }) => status === 'running' && state.provision !== undefined,
    none: vscode.l10n.t('No sandbox that runs has a recipe.'),
  });
  if (sandbox === undefined) return;
  const { name, status } = sandbox;
  if (status !== 'running') {
    throw new PixelsError('wrong-state', vscode.l10n.t('{0} does not run.', name), {
      hint: vscode.l10n.t('Start it to see its log.'),
    });
  }
  await face.showProvisioningLog(name);
}
