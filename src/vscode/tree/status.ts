import * as vscode from 'vscode';
import { isUnderWay } from '../../sandbox/mark';
import type { Sandbox, SandboxStatus } from '../../sandbox/sandbox';
import type { Icon } from './row';

/**
 * What a row shows: the machine's own status, unless something is being done to it (`working`), or was begun and never
 * finished (`unfinished`).
 */
export type RowStatus = SandboxStatus | 'working' | 'unfinished';

interface StatusLook {
  readonly icon: Icon;
  readonly words: () => string;
}

/** The one place that says how a status looks and reads. */
export const STATUS: Readonly<Record<RowStatus, StatusLook>> = {
  running: { icon: { id: 'vm-running', color: 'charts.green' }, words: () => vscode.l10n.t('running') },
  stopped: { icon: { id: 'vm-outline', color: 'disabledForeground' }, words: () => vscode.l10n.t('stopped') },
  frozen: { icon: { id: 'debug-pause', color: 'charts.blue' }, words: () => vscode.l10n.t('frozen') },
  starting: { icon: { id: 'loading~spin' }, words: () => vscode.l10n.t('starting') },
  stopping: { icon: { id: 'loading~spin' }, words: () => vscode.l10n.t('stopping') },
  error: { icon: { id: 'error', color: 'list.errorForeground' }, words: () => vscode.l10n.t('error') },
  working: { icon: { id: 'loading~spin' }, words: () => vscode.l10n.t('being worked on') },
  unfinished: { icon: { id: 'warning', color: 'list.warningForeground' }, words: () => vscode.l10n.t('unfinished') },
};

/** The status of a sandbox that this window is not working on itself. */
export function rowStatus(sandbox: Sandbox): RowStatus {
  if (sandbox.mark === undefined) return sandbox.status;
  return isUnderWay(sandbox.mark) ? 'working' : 'unfinished';
}

/** "running", "being created", "unfinished restore". */
export function statusWords(sandbox: Sandbox): string {
  const status = rowStatus(sandbox);
  const action = sandbox.mark?.action;
  if (action === undefined) return STATUS[status].words();
  const words = {
    create: [vscode.l10n.t('being created'), vscode.l10n.t('creation unfinished')],
    clone: [vscode.l10n.t('being created'), vscode.l10n.t('creation unfinished')],
    restore: [vscode.l10n.t('being restored'), vscode.l10n.t('restore unfinished')],
    destroy: [vscode.l10n.t('being destroyed'), vscode.l10n.t('removal unfinished')],
  } as const;
  return words[action][status === 'working' ? 0 : 1];
}
