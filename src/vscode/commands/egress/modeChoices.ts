import * as vscode from 'vscode';
import type { EgressMode } from '../../../egress';
import type { Choice } from '../../input';

/**
 * The modes for a quick pick, from open to closed, but what Enter takes without a look comes first.
 * @param first the mode that is the usual one here, or the one of now.
 * @param words what its line says about that.
 */
export function modeChoices(first?: EgressMode, words = ''): readonly Choice<EgressMode>[] {
  const modes: readonly Choice<EgressMode>[] = [
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
  const isFirst = ({ value }: Choice<EgressMode>): boolean => value === first;
  const usual = modes.filter(isFirst).map((choice) => ({ ...choice, description: words }));
  return [...usual, ...modes.filter((choice) => !isFirst(choice))];
}
