/** What a change does to a text, line by line, as `diff -u` shows it without its header. */
export function lineDiff(before: string, after: string, contextLines = 3): string {
  const changes = compare(linesOf(before), linesOf(after));
  const near = (at: number) =>
    changes.slice(Math.max(0, at - contextLines), at + contextLines + 1).some(({ sign }) => sign !== ' ');
  return changes
    .filter((_, at) => near(at))
    .map(({ sign, line }) => `${sign}${line}\n`)
    .join('');
}

interface Change {
  readonly sign: ' ' | '+' | '-';
  readonly line: string;
}

/** The longest common subsequence, by the usual table. The files are small: a person's SSH configuration. */
function compare(a: readonly string[], b: readonly string[]): Change[] {
  const common = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    const row = common[i] ?? [];
    for (let j = b.length - 1; j >= 0; j--) {
      row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const changes: Change[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i], b[j]];
    if (left !== undefined && left === right) {
      changes.push({ sign: ' ', line: left });
      [i, j] = [i + 1, j + 1];
    } else if (left !== undefined && (right === undefined || at(i + 1, j) >= at(i, j + 1))) {
      changes.push({ sign: '-', line: left });
      i++;
    } else {
      changes.push({ sign: '+', line: right ?? '' });
      j++;
    }
  }
  return changes;
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
