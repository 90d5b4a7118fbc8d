import { describe, expect, it } from 'vitest';
import { PixelsError, sentence } from '../../../../src/sandbox/errors';
import { isMissingMethod, isRefusal, refusalOf, refused, TrueNasRefusal } from '../../../../src/truenas/errors';
import { parseMessage } from '../../../../src/truenas/wire';
import { callError, invalid, noSuchMethod, Refusal } from './scriptedNas';

/** The error that a client makes of this refusal. */
function errorOf(refusal: Refusal, about = {}): PixelsError {
  const message = parseMessage(JSON.stringify({ jsonrpc: '2.0', id: 1, error: refusal.error }));
  if (message.kind !== 'refusal') throw new Error('no refusal');
  return refused(new TrueNasRefusal('some.method', message.details), about);
}

describe('a refusal', () => {
  it.each([
    [2, 'ENOENT', 'not-found'],
    [17, 'EEXIST', 'exists'],
    [13, 'EACCES', 'forbidden'],
    [1, 'EPERM', 'forbidden'],
    [28, 'ENOSPC', 'no-space'],
    [122, 'EDQUOT', 'no-space'],
    [12, 'ENOMEM', 'no-space'],
    [16, 'EBUSY', 'busy'],
    [11, 'EAGAIN', 'busy'],
    [22, 'EINVAL', 'invalid'],
    [39, 'ENOTEMPTY', 'wrong-state'],
    [205, 'EDATASETISLOCKED', 'wrong-state'],
    [110, 'ETIMEDOUT', 'timeout'],
    [95, 'EOPNOTSUPP', 'unsupported'],
    [201, 'ENOMETHOD', 'unsupported'],
    [207, 'ENOTAUTHENTICATED', 'forbidden'],
    [14, 'EFAULT', 'failed'],
    [2035, 'EZFS_WHATEVER', 'failed'],
    [999_999, 'EUNKNOWN', 'failed'],
  ])('with errno %i (%s) is of kind %s', (errno, errname, kind) => {
    const error = errorOf(callError(errno, errname, 'Some words.'));
    expect(error.kind).toBe(kind);
    expect(error.message).toMatch(/\.$/);
    expect(sentence(error)).not.toMatch(/\[E|undefined|Traceback/);
    expect(refusalOf(error)).toMatchObject({ errno, errname, method: 'some.method', code: -32001, extra: [] });
    expect(isRefusal(error, errno)).toBe(true);
  });

  it('is decided by the numbers in extra, where validation errors have them', () => {
    const missing = errorOf(invalid([null, 'VirtInstance px-none does not exist', 2]), { sandbox: 'none' });
    expect(missing).toMatchObject({ kind: 'not-found', message: 'There is no sandbox "none".' });
    const exists = errorOf(invalid(['pool.snapshot.create', 'px-base already exists.', 17]), {
      sandbox: 'web',
      checkpoint: 'base',
    });
    expect(exists).toMatchObject({ kind: 'exists', message: 'There is already a checkpoint "base" of web.' });
    const mixed = errorOf(invalid(['a', 'too long', 22], ['a.b', 'is a protected path.', 13]));
    expect(mixed.kind).toBe('forbidden');
  });

  it('keeps what is wrong with which argument', () => {
    const error = errorOf(
      invalid(
        ['virt_instance_create.memory', 'Cannot reserve more than physical memory', 22],
        ['virt_instance_create.cpu', 'Cannot reserve more than system cores', 22],
      ),
    );
    expect(error).toMatchObject({
      kind: 'invalid',
      message:
        'TrueNAS does not accept this: memory: Cannot reserve more than physical memory; ' +
        'cpu: Cannot reserve more than system cores.',
    });
    expect(refusalOf(error)?.extra.map(({ attribute }) => attribute)).toEqual([
      'virt_instance_create.memory',
      'virt_instance_create.cpu',
    ]);
  });

  it('without a method is no matter of errno', () => {
    const error = errorOf(noSuchMethod);
    expect(error).toMatchObject({ kind: 'unsupported', message: 'This TrueNAS has no some.method.' });
    expect(isMissingMethod(error)).toBe(true);
    expect(isMissingMethod(errorOf(callError(22, 'EINVAL', 'Method does not exist')))).toBe(false);
  });

  it('shows the words of the server in one line, shortly, and without what a terminal obeys', () => {
    const error = errorOf(callError(14, 'EFAULT', `cannot\u001b[31m roll\r\nback\n${'x'.repeat(1000)}`));
    expect(error.message).toMatch(/^TrueNAS could not do that: cannot \[31m roll back x+\.$/);
    expect(error.message.length).toBeLessThan(350);
  });

  it.each([
    ['a string', 'oops'],
    ['a number', 5],
    ['an array', [1]],
    ['nothing in it', {}],
    ['data that is a string', { code: -32001, message: 'Method call error', data: 'text' }],
    ['extra that is an object', { code: -32602, message: 'm', data: { error: 22, reason: 'r', extra: { a: 1 } } }],
    [
      'extra of other shapes',
      { code: -32602, message: 'm', data: { error: 22, reason: 'r', extra: [1, ['a'], null] } },
    ],
    ['an errno that is a text', { code: '1', message: 5, data: { error: '2', errname: 4, reason: {} } }],
    ['huge numbers', { code: 1e300, message: '', data: { error: -1e300, reason: '', extra: [[null, '', 1e300]] } }],
  ])('with %s is borne', (_, wire) => {
    const error = errorOf(new Refusal(wire));
    expect(error).toBeInstanceOf(PixelsError);
    expect(error.message).not.toMatch(/undefined|\[object/);
  });
});

it('refusalOf is nothing for other errors', () => {
  expect(refusalOf(new PixelsError('failed', 'x'))).toBeUndefined();
  expect(refusalOf(new Error('x'))).toBeUndefined();
  expect(refusalOf(undefined)).toBeUndefined();
  expect(isRefusal('x', 2)).toBe(false);
});
