import { describe, expect, it } from 'vitest';
import { environmentLine } from '../../../src/provision/environmentLine';
import type { PixelsError } from '../../../src/sandbox/errors';

function refusal(value: string): PixelsError {
  try {
    environmentLine('NAME', value, 'env.NAME');
  } catch (error) {
    return error as PixelsError;
  }
  throw new Error('it was taken');
}

describe('environmentLine', () => {
  // That pam_env, systemd and sudo read these alike is shown on a real sandbox in test/contract/environment.test.ts.
  it.each([
    ['', "NAME=''"],
    ['plain', "NAME='plain'"],
    ['  two  words ', "NAME='  two  words '"],
    ['say "hi"', `NAME='say "hi"'`],
    ['$HOME `id` back\\slash', "NAME='$HOME `id` back\\slash'"],
    ["it's", `NAME="it's"`],
  ])('writes %j as %s', (value, line) => {
    expect(environmentLine('NAME', value, 'env.NAME')).toBe(line);
  });

  it.each([
    ['two\nlines', 'it has a line break'],
    ['a\rb', 'it has a line break'],
    ['a\0b', 'it has a control character'],
    ['\x1b[31m', 'it has a control character'],
    ['#ffffff', 'it has a "#"'],
    [`it's "quoted"`, "it has a ' together with"],
    ["it's $5", "it has a ' together with"],
    ['x'.repeat(8000), 'it is too long'],
    ['ä'.repeat(4000), 'it is too long'],
  ])('refuses %j in one sentence that does not show it, and says what to do', (value, problem) => {
    const error = refusal(value);
    expect(error.kind).toBe('config');
    expect(error.message).toContain(`env.NAME cannot be written to /etc/environment: ${problem}`);
    expect(error.message).not.toContain(value);
    expect(error.hint).toContain('session_only = true');
  });
});
