import * as vscode from 'vscode';
import { certificateHint } from '../../../provision/certificateHint';
import type { SandboxName } from '../../../sandbox/name';
import { failedStep, type ProvisionProgress, type StepProgress } from '../../../sandbox/provisioning';
import { runAction } from '../../action';
import type { Face } from '../../face';
import { commandId } from '../../ids';
import { plainText } from '../../plainText';
import { progressWords } from '../../recipeState';

/** Waits until a sandbox's recipe has been carried out, which can be cancelled, and opens it in a new window. */
export async function openWhenComplete(face: Face, name: SandboxName): Promise<void> {
  const node = face.tree.node(name);
  const title = vscode.l10n.t('Completing {0}', name);
  // Not on its row: the tree says what is being installed, and everything else can be done to it meanwhile.
  const outcome = await runAction(face, { title, rows: [] }, ({ lifecycle }, run) => {
    const tell = (progress: ProvisionProgress) => run.onProgress?.({ message: progressWords(progress) });
    return lifecycle.provisioner.follow(name, tell, run.signal);
  });
  if (outcome.kind !== 'ok') return;
  const { value: progress } = outcome;
  if (progress === undefined || progress.outcome === 'done') {
    await vscode.commands.executeCommand(commandId('openInNewWindow'), node);
  } else if (progress.outcome === 'failed') {
    await offerRetry(face, name, failedStep(progress));
  } else {
    const text = vscode.l10n.t('{0} was stopped. Installing goes on when it is started.', name);
    void vscode.window.showInformationMessage(text);
  }
}

async function offerRetry(face: Face, name: SandboxName, step: StepProgress | undefined): Promise<void> {
  const failure =
    step === undefined
      ? vscode.l10n.t('{0} can be used, but its recipe was not carried out.', name)
      : vscode.l10n.t('{0} can be used, but is not complete: installing {1} failed.', name, step.title);
  const hint = certificateHint(step?.lastLines.join('\n') ?? '');
  const line = step?.lastLines.at(-1);
  const reason = hint ?? (line === undefined ? '' : vscode.l10n.t('Its last words: {0}', line));
  const text = plainText(`${failure} ${reason}`.trim());
  const retry = vscode.l10n.t('Retry');
  const showLog = vscode.l10n.t('Show Log');
  const chosen = await vscode.window.showErrorMessage(text, retry, showLog);
  if (chosen === showLog) await face.showProvisioningLog(name);
  if (chosen !== retry) return;
  await vscode.commands.executeCommand(commandId('retryProvisioning'), face.tree.node(name));
  await openWhenComplete(face, name);
}
