/** One column of a table: its title and what it shows of a row. */
export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  /** Numbers are aligned on the right. */
  readonly right?: boolean;
  /** Colours what is shown, after it has been padded. */
  readonly paint?: (text: string, row: Row) => string;
}

/** An aligned table with a line of titles, two blanks between columns and none at the end of a line. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const texts = rows.map((row) => columns.map(({ text }) => text(row)));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...texts.map((cells) => (cells[index] ?? '').length)),
  );
  const pad = (text: string, index: number) => {
    const width = widths[index] ?? 0;
    if (columns[index]?.right) return text.padStart(width);
    return index === columns.length - 1 ? text : text.padEnd(width);
  };
  const titles = columns.map(({ title }, index) => pad(title, index)).join('  ');
  const lines = rows.map((row, at) =>
    columns
      .map(({ paint }, index) => {
        const padded = pad(texts[at]?.[index] ?? '', index);
        return paint === undefined ? padded : paint(padded, row);
      })
      .join('  '),
  );
  return [titles, ...lines].map((line) => `${line.trimEnd()}\n`).join('');
}
