import * as vscode from 'vscode';
import type { EgressMode } from '../../../egress';
import type { Choice } from '../../input';

/** The modes for a quick pick, from open to closed. */
export function modeChoices(): readonly (Choice<EgressMode> & { readonly value: EgressMode })[] {
  return [
    {
      label: 'unrestricted',
      detail: vscode.l10n.t('Everything can be reached.'),
      iconPath: new vscode.ThemeIcon('globe'),
      value: 'unrestricted',
    },
    {
      label: 'agent',
      detail: vscode.l10n.t('What coding agents need, in groups that can be switched off, and your own list.'),
      iconPath: new vscode.ThemeIcon('shield'),
      value: 'agent',
    },
    {
      label: 'allowlist',
      detail: vscode.l10n.t('Your own list only.'),
      iconPath: new vscode.ThemeIcon('lock'),
      value: 'allowlist',
    },
  ];
}
