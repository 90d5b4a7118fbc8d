import * as vscode from 'vscode';
import type { EgressView, GroupView, TimedView } from '../egressView';
import { timeOfDay } from './format';
import type { Icon, Row } from './row';

/**
 * The row above what a sandbox may reach: there is one as soon as anybody has said something about that.
 * @param refused how many things it could not reach.
 */
export function egressRow(view: EgressView, refused = 0): Row {
  if (view.kind === 'unreadable') {
    return {
      label: vscode.l10n.t('Egress'),
      description: vscode.l10n.t('cannot be read'),
      icon: ERROR,
      tags: ['egress', 'unreadable'],
      expandable: 'no',
    };
  }
  const { mode, groups, allow, deny, timed, trouble } = view;
  const row = { label: vscode.l10n.t('Egress: {0}', mode), tags: ['egress', mode] } as const;
  if (mode === 'unrestricted') {
    const icon = { id: 'globe', color: 'disabledForeground' };
    return { ...row, description: '', icon, expandable: 'no' };
  }
  const isEmpty = groups.length + allow.length + deny.length + timed.length === 0;
  if (trouble !== undefined) {
    const description = vscode.l10n.t('its groups cannot be read');
    return { ...row, description, icon: ERROR, expandable: isEmpty && refused === 0 ? 'no' : 'collapsed' };
  }
  const refusedWords = refused === 0 ? [] : [vscode.l10n.t('{0} refused', refused)];
  if (isEmpty) {
    const description = [vscode.l10n.t('empty'), ...refusedWords].join(' · ');
    return { ...row, description, icon: SHIELD, expandable: refused === 0 ? 'no' : 'collapsed' };
  }
  const off = groups.filter(({ on }) => !on).length;
  const facts = [
    ...(mode === 'agent' ? [vscode.l10n.t('{0} of {1} groups', groups.length - off, groups.length)] : []),
    ...(allow.length > 0 ? [domains(allow.length)] : []),
    ...(timed.length > 0 ? [vscode.l10n.t('{0} for some time', timed.length)] : []),
    ...(deny.length > 0 ? [vscode.l10n.t('{0} denied', deny.length)] : []),
    ...refusedWords,
  ];
  return { ...row, description: facts.join(' · '), icon: SHIELD, expandable: 'collapsed' };
}

/** A group of the preset, with what is in it; one that is off says only that. */
export function groupRow({ title, on, entries }: GroupView): Row {
  const state = on ? vscode.l10n.t('on') : vscode.l10n.t('off');
  return {
    label: title,
    description: on ? entries.join(', ') : state,
    icon: on ? { id: 'check', color: 'charts.green' } : { id: 'circle-slash', color: 'disabledForeground' },
    tags: ['group', on ? 'on' : 'off'],
    expandable: 'no',
    spoken: `${title}, ${state}`,
  };
}

/**
 * An entry of the person's own list, or an exception from what is allowed.
 * @param timed when it ends, and whose it is.
 */
export function domainRow(entry: string, denied: boolean, timed?: Omit<TimedView, 'entry'>): Row {
  if (timed !== undefined) {
    const time = timeOfDay(timed.until);
    const description = timed.forSetUp
      ? vscode.l10n.t('for the set-up, until {0}', time)
      : vscode.l10n.t('until {0}', time);
    return { label: entry, description, icon: { id: 'clock' }, tags: ['domain', 'timed'], expandable: 'no' };
  }
  return {
    label: entry,
    description: denied ? vscode.l10n.t('denied') : '',
    icon: denied ? { id: 'circle-slash', color: 'list.warningForeground' } : { id: 'globe' },
    tags: ['domain', denied ? 'denied' : 'allowed'],
    expandable: 'no',
  };
}

/** Addresses count as well: a person allows both by the same command. */
function domains(count: number): string {
  return count === 1 ? vscode.l10n.t('1 domain') : vscode.l10n.t('{0} domains', count);
}

const SHIELD: Icon = { id: 'shield' };
const ERROR: Icon = { id: 'error', color: 'list.errorForeground' };
