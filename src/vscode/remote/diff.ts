import os from 'node:os';
import * as vscode from 'vscode';
import type { UserConfigChange } from '../../ssh';
import { DisposableStore } from '../disposableStore';

const SCHEME = 'pixels-change';

export interface ChangeQuestion {
  readonly text: string;
  readonly detail: string;
  /** Beside these there is Cancel. */
  readonly buttons: readonly string[];
}

/**
 * Shows a planned change of the person's SSH configuration in the editor's own diff, and asks about it in a dialog that
 * leaves the first lines of the diff to be seen. Without a change it only asks.
 * @returns the button, or undefined for Cancel.
 */
export async function askAboutChange(
  change: UserConfigChange | undefined,
  { text, detail, buttons }: ChangeQuestion,
): Promise<string | undefined> {
  const store = new DisposableStore();
  try {
    if (change !== undefined) await showDiff(change, store);
    return await vscode.window.showInformationMessage(text, { modal: true, detail }, ...buttons);
  } finally {
    await closeDiff();
    store.dispose();
  }
}

/** The path as a person reads it: `~/.ssh/config`. */
export function shownPath(path: string): string {
  const home = os.homedir();
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

async function showDiff({ path, before, after }: UserConfigChange, store: DisposableStore): Promise<void> {
  const texts: Record<string, string> = { before, after };
  const provideTextDocumentContent = ({ query }: vscode.Uri) => texts[query] ?? '';
  store.add(vscode.workspace.registerTextDocumentContentProvider(SCHEME, { provideTextDocumentContent }));
  const uri = (query: string) => vscode.Uri.from({ scheme: SCHEME, path: vscode.Uri.file(path).path, query });
  const title = vscode.l10n.t('{0}: what would change', shownPath(path));
  await vscode.commands.executeCommand('vscode.diff', uri('before'), uri('after'), title, { preview: true });
}

async function closeDiff(): Promise<void> {
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  await vscode.window.tabGroups.close(
    tabs.filter(({ input }) => input instanceof vscode.TabInputTextDiff && input.modified.scheme === SCHEME),
  );
}
