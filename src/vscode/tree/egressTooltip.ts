import * as vscode from 'vscode';
import type { Pixels } from '../../app/pixels';
import { formatEntry, parseEntry, type Enforcement } from '../../egress';
import { sentence } from '../../sandbox/errors';
import type { Sandbox } from '../../sandbox/sandbox';
import type { EgressView, GroupView } from '../egressView';
import { escapeMarkdown, table } from './tooltip';

/** A sandbox's policy as a table, and whether it is in force: one that runs is asked. What cannot be read is a sentence. */
export async function egressTooltip(
  pixels: Pixels,
  sandbox: Sandbox,
  view: EgressView,
): Promise<vscode.MarkdownString | string> {
  if (view.kind === 'unreadable') return sentence(view.error);
  const { mode, enforcement, groups, allow, deny, trouble } = view;
  const titles = (on: boolean): string =>
    groups
      .filter((group) => group.on === on)
      .map(({ title }) => title)
      .join(', ');
  const rows: [string, string][] = [
    [vscode.l10n.t('In force'), await forceWords(pixels, sandbox)],
    [vscode.l10n.t('Enforced'), mode === 'unrestricted' ? '' : enforcementWords(enforcement)],
    [vscode.l10n.t('Groups'), escapeMarkdown(titles(true))],
    [vscode.l10n.t('Off'), escapeMarkdown(titles(false))],
    [vscode.l10n.t('Your own'), mode === 'unrestricted' ? '' : escapeMarkdown(allow.join(', '))],
    [vscode.l10n.t('Denied'), mode === 'unrestricted' ? '' : escapeMarkdown(deny.join(', '))],
  ];
  return table(vscode.l10n.t('Egress: {0}', mode), rows, trouble === undefined ? [] : [sentence(trouble)]);
}

function enforcementWords(enforcement: Enforcement): string {
  if (enforcement === 'gateway') return vscode.l10n.t('outside, by a gateway: also against root inside');
  return vscode.l10n.t('inside the sandbox, against its user');
}

/** What a group is called for `pixels network`, and all that is in it. */
export function groupTooltip({ id, entries }: GroupView): string {
  return [`@${id}`, '', ...entries].join('\n');
}

/** What an entry means. */
export function domainTooltip(entry: string, denied: boolean): string {
  const parsed = parseEntry(entry);
  const { port } = parsed;
  const bare = formatEntry({ ...parsed, port: undefined }).replace(/^=/, '');
  const isOnlyItself = parsed.kind === 'range' || parsed.exact;
  const what = [
    isOnlyItself ? bare : vscode.l10n.t('{0} and all below it', bare),
    ...(parsed.kind === 'domain' && parsed.exact ? [vscode.l10n.t('nothing below it')] : []),
    ...(port === undefined ? [] : [vscode.l10n.t('port {0}', port)]),
    ...(denied ? [vscode.l10n.t('denied although a group or another entry allows it')] : []),
  ];
  return what.join(', ');
}

async function forceWords({ host, egress }: Pixels, { name, status, state }: Sandbox): Promise<string> {
  if (status !== 'running' || state.egress === undefined) return vscode.l10n.t('when it runs');
  try {
    if (await egress.isInForce(host, name, state.egress)) return vscode.l10n.t('yes');
    return vscode.l10n.t('**no**: set its mode again to put it in force');
  } catch {
    return vscode.l10n.t('it does not answer');
  }
}
