import * as vscode from 'vscode';
import type { Refusal } from '../../egress';
import { age, moment } from './format';
import type { Row } from './row';

/**
 * The row above what a sandbox wanted to reach and could not.
 * @param fresh how many of them nobody has looked at.
 */
export function refusedRow(count: number, fresh: number): Row {
  return {
    label: vscode.l10n.t('Refused ({0})', count),
    description: fresh === 0 ? '' : vscode.l10n.t('{0} new', fresh),
    icon: { id: 'circle-slash', ...(fresh === 0 ? {} : { color: 'list.warningForeground' }) },
    tags: ['refused'],
    expandable: 'collapsed',
  };
}

/** Something that it could not reach: what, how often, and when at last. */
export function refusalRow(refusal: Refusal): Row {
  const { count, last } = refusal;
  const times = count === 1 ? [] : [vscode.l10n.t('{0} times', count)];
  return {
    label: targetOf(refusal),
    description: [...times, age(last)].join(' · '),
    icon: { id: refusal.address === undefined ? 'globe' : 'plug' },
    tags: ['refusal'],
    expandable: 'no',
  };
}

/** What it was about, as far as it is known. */
export function refusalTooltip(refusal: Refusal): string {
  const { name, address, port, protocol, count, last } = refusal;
  const where =
    address === undefined
      ? vscode.l10n.t('Its name was not looked up.')
      : vscode.l10n.t('A connection to {0} was refused.', `${address} ${protocol ?? ''} ${port ?? ''}`.trim());
  const times = count === 1 ? vscode.l10n.t('once') : vscode.l10n.t('{0} times', count);
  return [name ?? address ?? '', where, `${times}, ${moment(last)}`].join('\n');
}

/** `example.org`, `example.org:443`, `10.0.0.1:22`. */
function targetOf({ name, address, port }: Refusal): string {
  const host = name ?? address ?? '';
  return port === undefined ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
