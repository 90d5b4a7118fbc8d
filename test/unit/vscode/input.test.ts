import { expect, it, vi } from 'vitest';
import type { Step } from '../../../src/vscode/input';

vi.mock('vscode', () => import('./fakeVscode'));

const { askAll } = await import('../../../src/vscode/input');

/** Questions that are answered as scripted; what was asked is noted with its step. */
function scripted(...script: readonly ('answer' | 'back' | 'dismissed')[]) {
  const asked: number[] = [];
  const step: Step = ({ step }) => {
    const kind = script[asked.push(step) - 1] ?? 'dismissed';
    return Promise.resolve(kind === 'answer' ? { kind, value: undefined } : { kind });
  };
  return { asked, steps: [step, step, step] };
}

it('asks one question after the other', async () => {
  const { asked, steps } = scripted('answer', 'answer', 'answer');
  expect(await askAll(steps)).toBe(true);
  expect(asked).toEqual([1, 2, 3]);
});

it('goes back to the question before', async () => {
  const { asked, steps } = scripted('answer', 'answer', 'back', 'back', 'answer', 'answer', 'answer');
  expect(await askAll(steps)).toBe(true);
  expect(asked).toEqual([1, 2, 3, 2, 1, 2, 3]);
});

it('ends when one is dismissed', async () => {
  const { asked, steps } = scripted('answer', 'dismissed');
  expect(await askAll(steps)).toBe(false);
  expect(asked).toEqual([1, 2]);
});
