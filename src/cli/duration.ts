import { PixelsError } from '../sandbox/errors';

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
const LONGEST_DAYS = 30;

/**
 * `90s`, `30m`, `2h`, `1d`, `1h30m`: a time to come, in milliseconds.
 * @throws PixelsError `invalid` for anything else, for none, and for more than 30 days.
 */
export function parseDuration(typed: string): number {
  const text = typed.trim().toLowerCase();
  const parts = /^(\d{1,7}[smhd])+$/.test(text) ? [...text.matchAll(/(\d+)([smhd])/g)] : [];
  const seconds = parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * SECONDS[unit as keyof typeof SECONDS],
    0,
  );
  if (seconds > 0 && seconds <= LONGEST_DAYS * SECONDS.d) return seconds * 1000;
  const hint = 'Type one like 30m, 2h or 1h30m.';
  if (seconds === 0) throw new PixelsError('invalid', `"${typed}" is no time.`, { hint });
  throw new PixelsError('invalid', `"${typed}" is more than ${LONGEST_DAYS} days.`, { hint: 'Leave out the time.' });
}
