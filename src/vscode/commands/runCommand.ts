import * as vscode from 'vscode';
import type { Face } from '../face';
import { askText } from '../input';
import { oneSandbox } from '../targets';
import { commandTerminal } from '../terminal/console';
import type { Node } from '../tree/node';

/** Asks for a command line and runs it in a sandbox, in a terminal of its own. */
export async function runCommand(face: Face, node?: Node): Promise<void> {
  const sandbox = await oneSandbox(face, node, { title: vscode.l10n.t('Run Command') });
  if (sandbox === undefined) return;
  const answer = await askText({
    title: vscode.l10n.t('Run Command in {0}', sandbox.name),
    prompt: vscode.l10n.t('A command line for the shell, run in the home directory'),
    placeholder: vscode.l10n.t('for example: git status'),
    problem: (text) => (text === '' ? vscode.l10n.t('There is nothing to run yet.') : undefined),
  });
  if (answer.kind === 'answer') {
    vscode.window.createTerminal(commandTerminal(face, sandbox.name, answer.value)).show();
  }
}
