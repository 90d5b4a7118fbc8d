import * as vscode from 'vscode';
import { readProvisionRecord } from '../../sandbox/provisioning';
import { runAction } from '../action';
import type { Face } from '../face';
import { oneSandbox } from '../targets';
import type { Node } from '../tree/node';

/** Begins again with the recipe that a sandbox has: what is there already is skipped. One that does not run is started. */
export async function retryProvisioning(face: Face, node?: Node): Promise<void> {
  const sandbox = await oneSandbox(face, node, {
    title: vscode.l10n.t('Retry Provisioning'),
    suits: ({ state }) => readProvisionRecord(state.provision)?.outcome === 'failed',
    none: vscode.l10n.t('No recipe has failed.'),
  });
  if (sandbox === undefined) return;
  const { name, status } = sandbox;
  const title = vscode.l10n.t('Beginning again in {0}', name);
  await runAction(face, { title, rows: [name] }, async ({ lifecycle }, run) => {
    if (status !== 'running') await lifecycle.start(name, run);
    await lifecycle.provisioner.begin(name, undefined, run);
  });
}
