import * as vscode from 'vscode';
import type { Face } from '../face';
import { oneSandbox } from '../targets';
import { consoleTerminal } from './console';

/** "Pixels Sandbox" in the terminal's list of profiles: asks which sandbox, then opens its console. */
export async function provideConsoleProfile(face: Face): Promise<vscode.TerminalProfile | undefined> {
  const sandbox = await oneSandbox(face, undefined, { title: vscode.l10n.t('Open Console') });
  return sandbox === undefined ? undefined : new vscode.TerminalProfile(consoleTerminal(face, sandbox.name));
}
