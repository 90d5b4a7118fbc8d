import * as vscode from 'vscode';
import type { Face } from '../face';
import type { Node } from '../tree/node';
import { askBase } from './bases/askBase';
import { build } from './bases/build';

/** Builds a base anew, up to date or not. Sandboxes that were cloned from it stay as they are. */
export async function rebuildBase(face: Face, node?: Node): Promise<void> {
  const name = await askBase(face, node, {
    title: vscode.l10n.t('Rebuild Base'),
    suits: ({ definition, sandbox }) => definition !== undefined && sandbox !== undefined,
    none: vscode.l10n.t('No base has been built.'),
  });
  if (name !== undefined) await build(face, name, true);
}
