import { describe, expect, it } from 'vitest';
import { check, ok, warning } from '../../../src/sandbox/check';
import { PixelsError } from '../../../src/sandbox/errors';

const never = new Promise<never>(() => undefined);

describe('a check', () => {
  it('says what was found under its title', async () => {
    expect(await check('Key', () => Promise.resolve(ok('It is there.')))).toEqual({
      title: 'Key',
      verdict: 'ok',
      sentence: 'It is there.',
    });
    const found = warning('It is old.', 'Make a new one.');
    expect(await check('Key', () => Promise.resolve(found))).toEqual({ title: 'Key', ...found });
  });

  it('has failed when looking has, with the reason and the next step', async () => {
    const error = new PixelsError('unreachable', 'Nobody answers.', { hint: 'Switch it on.' });
    expect(await check('Server', () => Promise.reject(error))).toEqual({
      title: 'Server',
      verdict: 'failed',
      sentence: 'Nobody answers.',
      advice: 'Switch it on.',
    });
    const bug = await check('Server', () => Promise.reject(new Error('boom')));
    expect(bug).toMatchObject({ verdict: 'failed', sentence: 'boom' });
  });

  it.each([
    ['hears that nobody waits any more', (signal: AbortSignal) => abortedBy(signal)],
    ['does not listen', () => never],
  ])('has failed when it takes too long, whether the look %s', async (_, look) => {
    const found = await check('Server', look, { limitMs: 20 });
    expect(found).toMatchObject({ verdict: 'failed', sentence: expect.stringContaining('no answer') as unknown });
  });

  it('is no answer when a person cancels', async () => {
    const person = new AbortController();
    const looking = check('Server', () => never, { signal: person.signal, limitMs: 60_000 });
    person.abort();
    await expect(looking).rejects.toMatchObject({ kind: 'cancelled' });
    await expect(check('Server', () => never, { signal: person.signal })).rejects.toMatchObject({ kind: 'cancelled' });
  });
});

function abortedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new PixelsError('cancelled', 'Cancelled.')));
  });
}
