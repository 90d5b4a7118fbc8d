import { expect, it } from 'vitest';
import { HiddenValues } from '../../../src/sandbox/hiddenValues';

it('takes every occurrence of a value out of every message', () => {
  const hidden = new HiddenValues();
  const said: string[] = [];
  const keep = (message: string) => void said.push(message);
  const log = hidden.guard({ trace: keep, debug: keep, info: keep, warn: keep, error: keep });
  log.info('before s3cret');
  hidden.add(['s3cret']);
  log.trace('a s3cret');
  log.debug('s3crets3cret');
  log.info('none');
  log.warn('s3cret\ns3cret');
  log.error('(s3cret)');
  expect(said).toEqual(['before s3cret', 'a ********', '****************', 'none', '********\n********', '(********)']);
});

it('hides a value whole that contains another one, and what is special in a pattern or a replacement', () => {
  const hidden = new HiddenValues();
  hidden.add(['pass', 'passphrase', 'a.c$&']);
  expect(hidden.hide('passphrase pass abc$& a.c$&')).toBe('******** ******** abc$& ********');
});

it('passes over values that say nothing', () => {
  const hidden = new HiddenValues();
  hidden.add(['', '1', 'yes']);
  expect(hidden.hide('yes, 1 of 1')).toBe('yes, 1 of 1');
});
