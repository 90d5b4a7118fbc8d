/**
 * The line (from 1) where a TOML text sets `section.key`, or else where its section begins. For messages only: the
 * parser does not tell positions, and this reading knows nothing of texts that run over several lines.
 */
export function lineOfKey(content: string, key: string): number | undefined {
  const parts = key.split('.');
  const section = parts.slice(0, -1).join('.');
  let current = '';
  let sectionLine: number | undefined;
  for (const [index, line] of content.split('\n').entries()) {
    const header = /^\s*\[\[?([^\]]+)\]/.exec(line);
    if (header) current = plain(header[1] ?? '');
    const assigned = header ? undefined : /^\s*([\w."'\s-]+?)\s*=/.exec(line)?.[1];
    const full = assigned === undefined ? current : [current, plain(assigned)].filter((part) => part !== '').join('.');
    if ((header || assigned !== undefined) && full === key) return index + 1;
    // `incus = { socket = 1 }`, or the header of a table that should have been a value
    if (section === '' ? full === key : full === section) sectionLine ??= index + 1;
  }
  return sectionLine;
}

function plain(key: string): string {
  return key
    .replace(/["']/g, '')
    .replace(/\s*\.\s*/g, '.')
    .trim();
}
