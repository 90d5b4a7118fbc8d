import { describe, expect, it } from 'vitest';
import { NOTHING_YET, withLine } from '../../../src/provision/progress';
import { currentStep, failedStep, readProvisionRecord, reopened } from '../../../src/sandbox/provisioning';

const after = (...lines: string[]) => lines.map((line) => line.replaceAll('|', '\t')).reduce(withLine, NOTHING_YET);

describe('the progress of a recipe', () => {
  it('begins with nothing', () => {
    expect(after()).toEqual({ outcome: 'waiting', stepCount: 0, steps: [] });
  });

  it('has the step that is being done, where it comes from, and how often it was tried', () => {
    const progress = after(
      'run|3',
      'begin|a|A tool',
      'skipped',
      'begin|b|B tool',
      'source|npm',
      'retry|1|2',
      'source|mise',
    );
    expect(progress).toMatchObject({ outcome: 'running', stepCount: 3 });
    expect(currentStep(progress)).toEqual({
      id: 'b',
      title: 'B tool',
      number: 2,
      outcome: 'running',
      source: 'mise',
      retries: 1,
      lastLines: [],
    });
  });

  it('names the step that failed by itself, with its last lines', () => {
    const lines = Array.from({ length: 15 }, (_, index) => `line|${index}`);
    const progress = after('run|2', 'begin|a|A', ...lines, 'failed', 'begin|b|B', 'blocked', 'end|failed');
    expect(progress.outcome).toBe('failed');
    expect(progress.steps.map(({ outcome }) => outcome)).toEqual(['failed', 'blocked']);
    expect(failedStep(progress)?.lastLines).toEqual(['5', '6', '7', '8', '9', '10', '11', '12', '13', '14']);
    expect(currentStep(progress)).toBeUndefined();
  });

  it('begins anew with another run', () => {
    expect(after('run|2', 'begin|a|A', 'failed', 'end|failed', 'run|2', 'begin|a|A')).toMatchObject({
      outcome: 'running',
      steps: [{ outcome: 'running' }],
    });
  });

  it.each([['nonsense'], [''], ['retry|1|2'], ['line|before any step'], ['done']])('is unmoved by %j', (line) => {
    expect(after(line)).toEqual(NOTHING_YET);
  });

  it('shows nothing that would move a cursor, and nothing endless', () => {
    const { steps } = after('run|1', `begin|a|\u001b[31mred\u001b[0m\u0007 ${'x'.repeat(5000)}`);
    expect(steps[0]?.title).toMatch(/^red x{200,}$/);
    expect(steps[0]?.title.length).toBeLessThanOrEqual(300);
    expect(after(`run|${'9'.repeat(400)}`).stepCount).toBeLessThanOrEqual(200);
  });
});

describe('the record of a recipe', () => {
  it('is read back, and is nothing where it makes no sense', () => {
    const record = { recipe: 'agent', hash: 'ab', outcome: 'failed', failed: 'Codex' };
    expect(readProvisionRecord(JSON.stringify(record))).toEqual(record);
    for (const text of [undefined, '', '[]', '{}', '{"recipe":"a","hash":"b","outcome":"?"}', 'null']) {
      expect(readProvisionRecord(text)).toBeUndefined();
    }
  });

  it('is open again for a copy', () => {
    expect(reopened('{"recipe":"agent","hash":"ab","outcome":"failed","failed":"Codex"}')).toBe(
      '{"recipe":"agent","hash":"ab","outcome":"running"}',
    );
  });
});
