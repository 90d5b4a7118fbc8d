import * as vscode from 'vscode';
import { readBaseRecord, statusOfBase, type BaseName, type BaseRecord, type BaseStatus } from '../../sandbox/base';
import type { Sandbox } from '../../sandbox/sandbox';
import { withoutTitle } from '../baseBuilds';
import { age } from './format';
import type { Icon, Row } from './row';

/** The row above all bases. It is there only while there are some. */
export function basesRow(): Row {
  return {
    label: vscode.l10n.t('Bases'),
    description: '',
    icon: { id: 'layers' },
    tags: ['bases'],
    expandable: 'collapsed',
  };
}

/**
 * The row of a base.
 * @param sandbox undefined while it is being made and the server does not list it yet.
 * @param hash of all that it would be made of now; undefined where that is not known.
 * @param activity what this window is doing to it.
 */
export function baseRow(
  name: BaseName,
  sandbox: Sandbox | undefined,
  hash: string | undefined,
  activity: string | undefined,
): Row {
  const row = { label: name, expandable: 'no' } as const;
  if (activity !== undefined) {
    return { ...row, description: withoutTitle(activity, name), icon: ICONS.building, tags: ['base', 'working'] };
  }
  const status = statusOfBase(sandbox, hash);
  const record = readBaseRecord(sandbox?.state.base);
  const words = baseStatusWords(status, record);
  const isBuilt = status === 'ready' || status === 'stale';
  const since = isBuilt && record !== undefined ? [age(new Date(record.since))] : [];
  return { ...row, description: [words, ...since].join(' · '), icon: ICONS[status], tags: ['base', status] };
}

/** How a base stands: "complete", "Codex failed". */
export function baseStatusWords(status: BaseStatus, record: BaseRecord | undefined): string {
  switch (status) {
    case 'missing':
      return vscode.l10n.t('not built');
    case 'building':
      return vscode.l10n.t('being built');
    case 'deleting':
      return vscode.l10n.t('being deleted');
    case 'interrupted':
      return vscode.l10n.t('build unfinished');
    case 'failed':
      return record?.failed === undefined ? vscode.l10n.t('failed') : vscode.l10n.t('{0} failed', record.failed);
    case 'stale':
      return vscode.l10n.t('stale');
    case 'ready':
      return vscode.l10n.t('complete');
    case 'foreign':
      return vscode.l10n.t('not made by Pixels');
  }
}

const WARNING: Icon = { id: 'warning', color: 'list.warningForeground' };
const ICONS: Readonly<Record<BaseStatus, Icon>> = {
  missing: { id: 'layers' },
  building: { id: 'loading~spin' },
  deleting: { id: 'loading~spin' },
  interrupted: WARNING,
  failed: { id: 'error', color: 'list.errorForeground' },
  stale: { id: 'history', color: 'list.warningForeground' },
  ready: { id: 'check', color: 'charts.green' },
  foreign: WARNING,
};
