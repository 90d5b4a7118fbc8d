import { describe, expect, it } from 'vitest';
import { isReservedName, isVariableName } from '../../../src/sandbox/environment';

describe('isVariableName', () => {
  it.each(['A', '_', 'a1', 'ANTHROPIC_API_KEY', 'x'.repeat(300)])('takes %s', (name) => {
    expect(isVariableName(name)).toBe(true);
  });

  it.each(['', '1A', 'A-B', 'A B', 'A=B', 'A*', 'LC_*', 'Ä', 'A\nB', '$A', 'A\0'])('refuses %j', (name) => {
    expect(isVariableName(name)).toBe(false);
  });
});

describe('isReservedName', () => {
  it.each([
    ['PATH', 'HOME', 'SHELL', 'USER', 'LOGNAME', 'IFS', 'ENV', 'BASH_ENV', 'PROMPT_COMMAND', 'NODE_OPTIONS'],
    ['LD_PRELOAD', 'LD_LIBRARY_PATH', 'LD_AUDIT', 'SSH_AUTH_SOCK', 'SUDO_USER', 'PIXELS_TRUENAS_API_KEY'],
  ])('has %s and others', (...names) => {
    expect(names.filter((name) => !isReservedName(name))).toEqual([]);
  });

  it('leaves what people forward', () => {
    const names = [
      'ANTHROPIC_API_KEY',
      'OPENAI_API_KEY',
      'GITHUB_TOKEN',
      'LANG',
      'EDITOR',
      'PATH_TO_X',
      'MY_LD_PRELOAD',
    ];
    expect(names.filter(isReservedName)).toEqual([]);
  });
});
