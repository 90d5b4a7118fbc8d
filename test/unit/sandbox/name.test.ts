import { describe, expect, it } from 'vitest';
import {
  instanceName,
  isSafetyLabel,
  labelFromDate,
  labelProblem,
  nameOfInstance,
  nameProblem,
  parseLabel,
  parseName,
  parseSource,
  safetyLabel,
} from '../../../src/sandbox/name';

describe('sandbox names', () => {
  it('are one letter or more, with digits and hyphens inside', () => {
    for (const good of ['a', 'web', 'web-2', 'a0', 'x'.repeat(60)]) expect(parseName(good)).toBe(good);
  });

  it('lose the prefix that a person typed, however often', () => {
    expect(parseName('px-web')).toBe('web');
    expect(parseName('px-px-web')).toBe('web');
    expect(parseName('  px-web ')).toBe('web');
  });

  it('fit a host name of 63 characters together with the prefix', () => {
    expect(instanceName(parseName('x'.repeat(60)))).toHaveLength(63);
    expect(nameProblem('x'.repeat(61))).toBe('The name is 61 characters long; 60 is the most.');
  });

  it.each([
    ['', /needs a name/],
    ['px-', /needs a name/],
    ['Web', /use "web"/],
    ['1web', /begin with a letter/],
    ['-web', /begin with a letter/],
    ['web-', /end with a hyphen/],
    ['we_b', /letters a to z, digits and hyphens/],
    ['wéb', /letters a to z/],
    ['web/../x', /letters a to z/],
    ['web;rm', /letters a to z/],
  ])('refuse %j in one sentence', (typed, problem) => {
    expect(nameProblem(typed)).toMatch(problem);
    expect(() => parseName(typed)).toThrow(problem);
  });

  it('come back from instance names, of ours only', () => {
    expect(nameOfInstance('px-web')).toBe('web');
    expect(nameOfInstance('web')).toBeUndefined();
    expect(nameOfInstance('px-px-web')).toBeUndefined();
    expect(nameOfInstance('px-Web')).toBeUndefined();
  });
});

describe('checkpoint labels', () => {
  it('are letters, digits, dots, underscores and hyphens', () => {
    for (const good of ['ready', 'v1.2_rc-3', '2026-11-23', 'x'.repeat(63)]) expect(parseLabel(good)).toBe(good);
  });

  it.each(['', ' ', '-x', 'x-', '.x', 'a b', 'a/b', 'a:b', 'a@b', 'é', 'x'.repeat(64)])('refuse %j', (typed) => {
    expect(labelProblem(typed)).toBeTypeOf('string');
    expect(() => parseLabel(typed)).toThrow();
  });

  it('made from a date sort as the dates do, and are right as labels', () => {
    const earlier = labelFromDate(new Date('2026-11-23T09:05:01Z'));
    expect(earlier).toBe('2026-11-23-090501');
    expect(labelProblem(earlier)).toBeUndefined();
    expect(earlier < labelFromDate(new Date('2026-11-23T10:05:01Z'))).toBe(true);
  });

  it('of a restore are told apart from a person’s', () => {
    expect(isSafetyLabel(safetyLabel(new Date()))).toBe(true);
    expect(labelProblem(safetyLabel(new Date()))).toBeUndefined();
    expect(isSafetyLabel('ready')).toBe(false);
  });
});

describe('SOURCE[:LABEL]', () => {
  it('names a sandbox, or one of its checkpoints', () => {
    expect(parseSource('web')).toEqual({ name: 'web' });
    expect(parseSource('px-web:ready')).toEqual({ name: 'web', label: 'ready' });
  });

  it('refuses an empty label', () => {
    expect(() => parseSource('web:')).toThrow(/needs a label/);
  });
});
