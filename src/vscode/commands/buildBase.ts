import * as vscode from 'vscode';
import type { Face } from '../face';
import type { Node } from '../tree/node';
import { askBase } from './bases/askBase';
import { build } from './bases/build';

/** Builds a base where it is missing or stale, what it begins with first. */
export async function buildBase(face: Face, node?: Node): Promise<void> {
  const name = await askBase(face, node, {
    title: vscode.l10n.t('Build Base'),
    suits: ({ definition }) => definition !== undefined,
    none: vscode.l10n.t('No bases are defined.'),
  });
  if (name !== undefined) await build(face, name, false);
}
