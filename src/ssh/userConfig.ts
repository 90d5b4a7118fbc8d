import path from 'node:path';
import { includeArgument } from './quoting';
import type { SshPaths } from './paths';

/**
 * Changes to the text of a person's ssh_config. Texts are `latin1`: every byte is one character and comes out as it went
 * in, whatever the encoding is.
 */

/** The one line that we add. */
export function includeLine(paths: SshPaths): string {
  return `Include ${includeArgument(paths.config)}`;
}

/**
 * Whether our Include stands where it counts. Remote-SSH lists the hosts of an Include only above the first `Host`, and
 * OpenSSH takes the first value it meets: above it there may only be other Includes and comments.
 */
export function isIncluded(text: string, paths: SshPaths): boolean {
  for (const line of linesOf(text)) {
    const { keyword, args } = parseLine(line);
    if (keyword === '') continue;
    if (keyword !== 'include') return false;
    if (args.some((argument) => isOurs(argument, paths))) return true;
  }
  return false;
}

/** The text with our line first (after a byte order mark), and nowhere else. */
export function withInclude(text: string, paths: SshPaths): string {
  const rest = withoutInclude(text, paths);
  const mark = rest.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : '';
  const lineBreak = /\r\n|\n/.exec(rest)?.[0] ?? '\n';
  const line = Buffer.from(includeLine(paths), 'utf8').toString('latin1');
  return mark + line + lineBreak + rest.slice(mark.length);
}

/** The text without our line. An Include of several files stays: a missing included file does no harm. */
export function withoutInclude(text: string, paths: SshPaths): string {
  const mark = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : '';
  const kept = linesOf(text.slice(mark.length)).filter((line) => {
    const { keyword, args } = parseLine(line);
    return !(keyword === 'include' && args.length === 1 && isOurs(args[0] ?? '', paths));
  });
  return mark + kept.join('');
}

const BYTE_ORDER_MARK = Buffer.from('\uFEFF', 'utf8').toString('latin1');

/** Lines with their line breaks. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** As OpenSSH reads a line: keyword in any case, blanks or one `=` after it, arguments bare or in double quotes. */
function parseLine(line: string): { keyword: string; args: string[] } {
  const match = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(line.replace(BYTE_ORDER_MARK, ''));
  if (!match) return { keyword: /^\s*(#|$)/.test(line) ? '' : line.trim(), args: [] };
  const args = [...(match[2] ?? '').matchAll(/"([^"]*)"|(\S+)/g)].map(([, inQuotes, bare]) => inQuotes ?? bare ?? '');
  return { keyword: (match[1] ?? '').toLowerCase(), args };
}

function isOurs(argument: string, { home, config }: SshPaths): boolean {
  const typed = Buffer.from(argument, 'latin1').toString('utf8');
  if (`"${typed}"` === includeArgument(config) || typed === includeArgument(config)) return true;
  const absolute = typed.startsWith('~/') ? path.join(home, typed.slice(2)) : path.resolve(home, '.ssh', typed);
  return absolute === path.resolve(config);
}
