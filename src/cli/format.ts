import { isUnderWay } from '../sandbox/mark';
import type { Sandbox } from '../sandbox/sandbox';

const UNITS = [
  { letter: 'd', ms: 86_400_000 },
  { letter: 'h', ms: 3_600_000 },
  { letter: 'm', ms: 60_000 },
  { letter: 's', ms: 1000 },
] as const;

/** How long ago, in the largest unit that fits: `12s`, `5m`, `3h`, `40d`. */
export function age(date: Date, now = Date.now()): string {
  const passedMs = Math.max(0, now - date.getTime());
  const unit = UNITS.find(({ ms }) => passedMs >= ms) ?? UNITS[3];
  return `${Math.floor(passedMs / unit.ms)}${unit.letter}`;
}

/** `1.2 MiB`; empty when it is not known. */
export function size(bytes: number | undefined): string {
  if (bytes === undefined) return '';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${units[unit] ?? ''}`;
}

/** A moment in this machine's time zone: `2026-11-23 14:05`. */
export function moment(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** What the sandbox is doing, or what Pixels is doing to it: `running`, `being restored`, `restore unfinished`. */
export function statusWords({ mark, status }: Sandbox): string {
  if (mark === undefined) return status;
  const words = {
    create: ['being created', 'creation unfinished'],
    clone: ['being created', 'creation unfinished'],
    restore: ['being restored', 'restore unfinished'],
    destroy: ['being destroyed', 'removal unfinished'],
  } as const;
  return words[mark.action][isUnderWay(mark) ? 0 : 1];
}
