import * as vscode from 'vscode';
import type { PixelsError } from '../../sandbox/errors';
import type { Row } from './row';

/** What is wrong, where the list would be. The whole sentence is above the list, and in the tooltip. */
export function troubleRow(error: PixelsError): Row {
  return {
    label: title(error),
    description: '',
    icon: { id: error.kind === 'unreachable' ? 'debug-disconnect' : 'error', color: 'list.errorForeground' },
    tags: ['trouble', error.kind],
    expandable: 'no',
  };
}

function title({ kind }: PixelsError): string {
  switch (kind) {
    case 'unreachable':
      return vscode.l10n.t('Not connected');
    case 'forbidden':
      return vscode.l10n.t('Not allowed');
    case 'config':
      return vscode.l10n.t('Not configured');
    default:
      return vscode.l10n.t('Not available');
  }
}
