import * as vscode from 'vscode';
import { causeChain, PixelsError, sentence } from '../sandbox/errors';
import type { Face } from './face';
import { commandId } from './ids';
import { plainText } from './plainText';

/** A button under an error that can do something about it. */
export interface ErrorButton {
  readonly title: string;
  run(): unknown;
}

/** One notification: what failed and why, the next step, and buttons. The cause chain goes to the log. */
export async function showError(
  face: Pick<Face, 'log'>,
  error: PixelsError,
  buttons: readonly ErrorButton[] = [],
): Promise<void> {
  face.log.error(causeChain(error));
  const all = [...buttons, ...buttonsFor(error), showLogButton()];
  const chosen = await vscode.window.showErrorMessage(plainText(sentence(error)), ...all.map(({ title }) => title));
  await all.find(({ title }) => title === chosen)?.run();
}

/** A configuration that cannot be used, while there is one in use that can. */
export function keptConfiguration(error: PixelsError): PixelsError {
  const hint = vscode.l10n.t('Until that is mended, the configuration from before stays in use.');
  return new PixelsError(error.kind, error.message, { hint, cause: error });
}

/** What helps with any error of this kind. */
function buttonsFor({ kind }: PixelsError): readonly ErrorButton[] {
  switch (kind) {
    case 'config':
      return [commandButton(vscode.l10n.t('Open Config File'), 'openConfigFile')];
    case 'unreachable':
    case 'forbidden':
      return [commandButton(vscode.l10n.t('Open Settings'), 'openSettings')];
    default:
      return [];
  }
}

function showLogButton(): ErrorButton {
  return commandButton(vscode.l10n.t('Show Log'), 'showLog');
}

function commandButton(title: string, name: Parameters<typeof commandId>[0]): ErrorButton {
  return { title, run: () => vscode.commands.executeCommand(commandId(name)) };
}
