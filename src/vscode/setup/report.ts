import * as vscode from 'vscode';
import type { Check } from '../../app/doctor';

/** Characters that fonts have which have no pictures. */
const MARKS: Readonly<Record<Check['verdict'], string>> = { ok: '✓', warning: '⚠', failed: '✗' };

/** All checks as a page of Markdown: a summary, what is to be done, what is in order, and what one may do on the server. */
export function setupReport(checks: readonly Check[], now = new Date()): string {
  const time = new Intl.DateTimeFormat(vscode.env.language, { dateStyle: 'medium', timeStyle: 'short' }).format(now);
  return [
    `# ${vscode.l10n.t('Setup of Pixels')}`,
    `${summary(checks)} ${vscode.l10n.t('Checked: {0}.', time)}`,
    ...section(
      vscode.l10n.t('To look at'),
      checks.filter(({ verdict }) => verdict !== 'ok'),
    ),
    ...section(
      vscode.l10n.t('In order'),
      checks.filter(({ verdict }) => verdict === 'ok'),
    ),
    ...checks.flatMap(permissionTable),
    '',
  ].join('\n\n');
}

function summary(checks: readonly Check[]): string {
  const count = (verdict: Check['verdict']) => checks.filter((check) => check.verdict === verdict).length;
  const [failures, warnings] = [count('failed'), count('warning')];
  if (failures > 0) return vscode.l10n.t('Not everything works: {0} failed.', failures);
  if (warnings > 0) return vscode.l10n.t('Nothing failed; warnings: {0}.', warnings);
  return vscode.l10n.t('Everything is in order.');
}

function section(heading: string, checks: readonly Check[]): readonly string[] {
  if (checks.length === 0) return [];
  const rows = checks.map(({ verdict, title, sentence, advice }) => {
    const found = advice === undefined ? escaped(sentence) : `${escaped(sentence)}<br>→ ${escaped(advice)}`;
    return [MARKS[verdict], `**${escaped(title)}**`, found];
  });
  return [`## ${heading}`, table(['', vscode.l10n.t('Part'), vscode.l10n.t('Finding')], rows)];
}

function permissionTable({ title, permissions = [] }: Check): readonly string[] {
  if (permissions.length === 0) return [];
  const rows = permissions.map(({ feature, granted, lacks }) => {
    const missing = lacks.map((role) => `\`${role}\``).join(', ');
    return [granted ? MARKS.ok : MARKS.warning, escaped(feature), missing];
  });
  return [`## ${escaped(title)}`, table(['', vscode.l10n.t('Feature'), vscode.l10n.t('Lacks')], rows)];
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heads, heads.map(() => ':--'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return lines.join('\n');
}

/** Names of files, pools and roles have characters that Markdown would take for its own. A fingerprint is wider than a page. */
function escaped(text: string): string {
  const asText = text.replaceAll(/[\\`*_[\]<>|~#]/g, '\\$&').replaceAll(/\s+/g, ' ');
  return asText.replaceAll(/(?:[0-9A-F]{2}:){8}/g, '$&<wbr>');
}
