import * as vscode from 'vscode';

/** Shows the settings of this extension. */
export async function openSettings(): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.openSettings', '@ext:pixels.pixels-sandboxes');
}
