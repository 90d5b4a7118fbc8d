import * as vscode from 'vscode';
import { runAction } from '../action';
import type { Face } from '../face';
import { oneSandbox } from '../targets';
import type { Node } from '../tree/node';
import { askRecipe } from './provision/askRecipe';

/** Puts a recipe into a running sandbox, in the background; the one from before, if any, is replaced. */
export async function installRecipe(face: Face, node?: Node): Promise<void> {
  const sandbox = await oneSandbox(face, node, {
    title: vscode.l10n.t('Install Recipe'),
    suits: ({ status }) => status === 'running',
    none: vscode.l10n.t('No sandbox is running.'),
  });
  if (sandbox === undefined) return;
  const { name, state } = sandbox;
  const recipe = await askRecipe(face, vscode.l10n.t('Install Recipe in {0}', name), state.provision);
  if (recipe === undefined) return;
  const title = vscode.l10n.t('Beginning with the recipe in {0}', name);
  await runAction(face, { title, rows: [name] }, ({ lifecycle }, run) =>
    lifecycle.provisioner.begin(name, recipe, run),
  );
}
