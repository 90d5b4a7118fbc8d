import * as vscode from 'vscode';
import type { Check } from '../../app/doctor';
import type { Face } from '../face';
import { canOpenSshWindows, resolverToInstall } from '../remote/resolver';
import { setupReport } from '../setup/report';

/** Looks at the whole setup, and shows what was found on a page. Changes nothing. */
export async function checkSetup({ current, setupPage }: Pick<Face, 'current' | 'setupPage'>): Promise<void> {
  const { diagnose } = await import('../../app/doctor');
  const location = vscode.ProgressLocation.Notification;
  const title = vscode.l10n.t('Checking the setup');
  const checks = await vscode.window.withProgress({ location, title, cancellable: true }, async (progress, token) => {
    const controller = new AbortController();
    token.onCancellationRequested(() => controller.abort());
    return diagnose({
      ...current.surroundings(),
      configuration: () => current.configuration(),
      apiKey: (config) => current.apiKey(config),
      more: () => [remoteSsh()],
      signal: controller.signal,
      onCheck: (check) => progress.report({ message: check.title }),
    });
  });
  await setupPage().show(setupReport(checks));
}

/** Without one, consoles and plain ssh still work. */
function remoteSsh(): Check {
  const title = 'Remote - SSH';
  if (canOpenSshWindows()) {
    return { title, verdict: 'ok', sentence: vscode.l10n.t('This editor opens windows on SSH hosts.') };
  }
  const sentence = vscode.l10n.t('No extension here opens windows on SSH hosts, so none can be opened in a sandbox.');
  const advice = vscode.l10n.t('Install the extension {0}.', resolverToInstall());
  return { title, verdict: 'warning', sentence, advice };
}
