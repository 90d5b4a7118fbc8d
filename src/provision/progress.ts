import { stripVTControlCharacters } from 'node:util';
import type { ProvisionProgress, StepProgress } from '../sandbox/provisioning';

/** Before the first line. */
export const NOTHING_YET: ProvisionProgress = { outcome: 'waiting', stepCount: 0, steps: [] };

/**
 * The progress after one more line of the file that guest/run.sh writes: words between tabs, the first of which says what
 * happened. A line that makes no sense changes nothing: what is inside a sandbox may have been written by anybody.
 */
export function withLine(before: ProvisionProgress, line: string): ProvisionProgress {
  const [what = '', ...words] = line.split('\t');
  switch (what) {
    case 'run':
      return { outcome: 'running', stepCount: count(words[0]), steps: [] };
    case 'begin':
      return { ...before, steps: [...before.steps, begun(words, before.steps.length + 1)].slice(0, MOST_STEPS) };
    case 'source':
      return withLast(before, () => ({ source: shown(words[0]) }));
    case 'retry':
      return withLast(before, ({ retries }) => ({ retries: retries + 1 }));
    case 'line':
      return withLast(before, ({ lastLines }) => ({ lastLines: [...lastLines, shown(words[0])].slice(-MOST_LINES) }));
    case 'done':
    case 'skipped':
    case 'omitted':
    case 'failed':
    case 'blocked':
      return withLast(before, () => ({ outcome: what }));
    case 'end':
      return { ...before, outcome: words[0] === 'done' ? 'done' : 'failed' };
    default:
      return before;
  }
}

const MOST_STEPS = 200;
const MOST_LINES = 10;
const LONGEST_TEXT = 300;

function begun([id, title]: readonly string[], number: number): StepProgress {
  return { id: shown(id), title: shown(title), number, outcome: 'running', retries: 0, lastLines: [] };
}

function withLast(before: ProvisionProgress, change: (step: StepProgress) => Partial<StepProgress>): ProvisionProgress {
  const last = before.steps.at(-1);
  if (last === undefined) return before;
  return { ...before, steps: [...before.steps.slice(0, -1), { ...last, ...change(last) }] };
}

function count(word: string | undefined): number {
  return Math.min(Number(/^\d+$/.exec(word ?? '')?.[0] ?? 0), MOST_STEPS);
}

/** It came out of a sandbox: no control characters, and not endless. */
function shown(text = ''): string {
  return stripVTControlCharacters(text)
    .replaceAll(/\p{Cc}/gu, ' ')
    .slice(0, LONGEST_TEXT);
}
