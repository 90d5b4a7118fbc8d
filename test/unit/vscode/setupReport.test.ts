import { describe, expect, it, vi } from 'vitest';
import type { Check } from '../../../src/app/doctor';

vi.mock('vscode', () => import('./fakeVscode'));

const { setupReport } = await import('../../../src/vscode/setup/report');

const fine: Check = { title: 'Server', verdict: 'ok', sentence: 'It is there.' };
const odd: Check = { title: 'SSH', verdict: 'warning', sentence: 'It is old.', advice: 'Install a newer one.' };
const broken: Check = { title: 'Image', verdict: 'failed', sentence: 'There is none.' };
const key: Check = {
  title: 'API key',
  verdict: 'warning',
  sentence: 'It may not clone.',
  permissions: [
    { feature: 'See sandboxes', granted: true, lacks: [] },
    { feature: 'Clone', granted: false, lacks: ['SNAPSHOT_DELETE', 'SYSTEM_CRON_WRITE'] },
  ],
};
const lines = (checks: readonly Check[]) => setupReport(checks).split('\n');

describe('the report on the setup', () => {
  it('begins with how it stands, by the worst that was found', () => {
    expect(lines([fine])[2]).toMatch(/^Everything is in order\. Checked: \S.*\.$/);
    expect(lines([fine, odd, key])[2]).toMatch(/^Nothing failed; warnings: 2\. /);
    expect(lines([fine, odd, broken])[2]).toMatch(/^Not everything works: 1 failed\. /);
  });

  it('has a line for each check, in their order, with what to do; what is not in order comes first', () => {
    expect(lines([fine, odd, broken]).slice(4)).toEqual([
      '## To look at',
      '',
      '|  | Part | Finding |',
      '| :-- | :-- | :-- |',
      '| ⚠ | **SSH** | It is old.<br>→ Install a newer one. |',
      '| ✗ | **Image** | There is none. |',
      '',
      '## In order',
      '',
      '|  | Part | Finding |',
      '| :-- | :-- | :-- |',
      '| ✓ | **Server** | It is there. |',
      '',
      '',
    ]);
    expect(setupReport([fine])).not.toContain('To look at');
  });

  it('has a table of what one may do, where a check is about that', () => {
    expect(lines([fine, key]).slice(-8)).toEqual([
      '## API key',
      '',
      '|  | Feature | Lacks |',
      '| :-- | :-- | :-- |',
      '| ✓ | See sandboxes |  |',
      '| ⚠ | Clone | `SNAPSHOT_DELETE`, `SYSTEM_CRON_WRITE` |',
      '',
      '',
    ]);
  });

  it('shows names as they are, whatever Markdown would make of them', () => {
    const name: Check = { ...fine, sentence: 'The pool "a_b_c*<script>`x`|[y](z)" \n # is there.' };
    expect(setupReport([name])).toContain('The pool "a\\_b\\_c\\*\\<script\\>\\`x\\`\\|\\[y\\](z)" \\# is there.');
  });

  it('lets a fingerprint go on in the next line', () => {
    const eight = 'AB:CD:EF:01:23:45:67:89';
    const pinned: Check = { ...fine, sentence: `It is ${eight}:${eight}.` };
    expect(setupReport([pinned])).toContain(`It is ${eight}:<wbr>${eight}.`);
  });
});
