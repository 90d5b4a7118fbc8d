import * as vscode from 'vscode';

const UNITS = [
  { unit: 'year', ms: 365 * 86_400_000 },
  { unit: 'month', ms: 30 * 86_400_000 },
  { unit: 'day', ms: 86_400_000 },
  { unit: 'hour', ms: 3_600_000 },
  { unit: 'minute', ms: 60_000 },
] as const;

/** "5 min. ago", in the editor's language. */
export function age(date: Date, now = Date.now()): string {
  const passedMs = now - date.getTime();
  const largest = UNITS.find(({ ms }) => passedMs >= ms);
  if (largest === undefined) return vscode.l10n.t('just now');
  const format = new Intl.RelativeTimeFormat(vscode.env.language, { style: 'short' });
  return format.format(-Math.floor(passedMs / largest.ms), largest.unit);
}

/** "23 Nov 2026, 14:05", in the editor's language and this machine's time zone. */
export function moment(date: Date): string {
  return new Intl.DateTimeFormat(vscode.env.language, { dateStyle: 'medium', timeStyle: 'short' }).format(date);
}

/** "14:05" of today; with its day, of another. */
export function timeOfDay(date: Date): string {
  if (date.toDateString() !== new Date().toDateString()) return moment(date);
  return new Intl.DateTimeFormat(vscode.env.language, { timeStyle: 'short' }).format(date);
}

/** "1.2 MiB". */
export function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toLocaleString(vscode.env.language, { maximumFractionDigits: digits })} ${units[unit] ?? ''}`;
}
