import { describe, expect, it } from 'vitest';
import { checkJson, checkText } from '../../../src/cli/checks';
import { Terminal } from '../../../src/cli/terminal';
import type { Check } from '../../../src/sandbox/check';
import { fakeProcess } from './fakeProcess';

const plain = new Terminal(fakeProcess());
const fine: Check = { title: 'Server', verdict: 'ok', sentence: 'It is there.' };
const key: Check = {
  title: 'API key',
  verdict: 'warning',
  sentence: 'It may not clone.',
  advice: 'Give it more roles.',
  permissions: [
    { feature: 'See sandboxes', granted: true, lacks: [] },
    { feature: 'Clone', granted: false, lacks: ['SNAPSHOT_DELETE', 'SYSTEM_CRON_WRITE'] },
  ],
};

describe('a check in a terminal', () => {
  it('is one line, with what to do and what one may do below it', () => {
    expect(checkText(fine, plain)).toBe('ok       Server             It is there.\n');
    const indent = ' '.repeat(28);
    expect(checkText(key, plain).split('\n')).toEqual([
      'warning  API key            It may not clone.',
      `${indent}Give it more roles.`,
      `${indent}yes  See sandboxes`,
      `${indent}no   Clone          lacks SNAPSHOT_DELETE, SYSTEM_CRON_WRITE`,
      '',
    ]);
  });

  it('has the colour of its verdict, where there are colours', () => {
    const coloured = new Terminal(fakeProcess({ tty: true, env: { TERM: 'xterm' } }));
    expect(checkText({ ...fine, verdict: 'failed' }, coloured)).toContain('\x1b[31mfailed \x1b[0m  Server ');
  });

  it('as JSON has every key', () => {
    expect(checkJson(fine)).toEqual({ ...fine, advice: null, permissions: null });
    expect(checkJson(key)).toEqual(key);
  });
});
