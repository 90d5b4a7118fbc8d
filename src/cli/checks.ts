import type { Check } from '../sandbox/check';
import type { Terminal } from './terminal';

const VERDICT_WIDTH = 7;
const TITLE_WIDTH = 17;
const INDENT = ' '.repeat(VERDICT_WIDTH + TITLE_WIDTH + 4);

/** A check as lines of text: what was found, below it what to do, and a table of what one may do. */
export function checkText({ verdict, title, sentence, advice, permissions = [] }: Check, terminal: Terminal): string {
  const paint = { ok: terminal.green, warning: terminal.yellow, failed: terminal.red }[verdict];
  const width = Math.max(0, ...permissions.map(({ feature }) => feature.length));
  const lines = [
    `${paint(verdict.padEnd(VERDICT_WIDTH))}  ${title.padEnd(TITLE_WIDTH)}  ${sentence}`,
    ...(advice === undefined ? [] : [`${INDENT}${advice}`]),
    ...permissions.map(({ feature, granted, lacks }) => {
      const may = granted ? terminal.green('yes') : terminal.yellow('no ');
      return `${INDENT}${may}  ${granted ? feature : `${feature.padEnd(width)}  lacks ${lacks.join(', ')}`}`;
    }),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** A check as `--json` shows it. What there is nothing to say about is null, so that the keys are always there. */
export function checkJson({ title, verdict, sentence, advice, permissions }: Check): object {
  return { title, verdict, sentence, advice: advice ?? null, permissions: permissions ?? null };
}
