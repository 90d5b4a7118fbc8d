import * as vscode from 'vscode';
import type { Face } from '../face';
import { oneSandbox } from '../targets';
import { consoleTerminal } from '../terminal/console';
import { SandboxTerminal } from '../terminal/sandboxTerminal';
import type { Node } from '../tree/node';

/** Shows a sandbox's console; the one that is open already, if any. */
export async function openConsole(face: Face, node?: Node): Promise<void> {
  const sandbox = await oneSandbox(face, node, { title: vscode.l10n.t('Open Console') });
  if (sandbox === undefined) return;
  const open = vscode.window.terminals.find((terminal) => isConsoleOf(terminal, sandbox.name));
  (open ?? vscode.window.createTerminal(consoleTerminal(face, sandbox.name))).show();
}

function isConsoleOf({ name, creationOptions, exitStatus }: vscode.Terminal, sandbox: string): boolean {
  const pty = 'pty' in creationOptions ? creationOptions.pty : undefined;
  return exitStatus === undefined && name === sandbox && pty instanceof SandboxTerminal;
}
