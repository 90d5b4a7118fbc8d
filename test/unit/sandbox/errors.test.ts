import { describe, expect, it } from 'vitest';
import { causeChain, isKind, PixelsError, sentence, toPixelsError } from '../../../src/sandbox/errors';

describe('errors', () => {
  it('keep their kind, and name the next step', () => {
    const error = new PixelsError('busy', 'web is being restored.', { hint: 'Wait.' });
    expect(isKind(error, 'busy', 'exists')).toBe(true);
    expect(isKind(error, 'exists')).toBe(false);
    expect(isKind(new Error('busy'), 'busy')).toBe(false);
    expect(sentence(error)).toBe('web is being restored. Wait.');
  });

  it('made of anything that was thrown are never [object Object]', () => {
    expect(toPixelsError(new Error('no')).message).toBe('no');
    expect(toPixelsError('no').message).toBe('no');
    expect(toPixelsError({ code: 7 }).message).not.toContain('[object');
  });

  it('of an aborted wait are cancelled', () => {
    const reason = AbortSignal.abort().reason as unknown;
    expect(isKind(toPixelsError(reason), 'cancelled')).toBe(true);
  });

  it('tell the log the whole chain', () => {
    const error = new PixelsError('failed', 'outer', {
      cause: new PixelsError('failed', 'middle', { cause: new Error('inner') }),
    });
    expect(causeChain(error)).toMatch(/^outer\ncaused by: middle\ncaused by: Error: inner\n {4}at /);
  });
});
