import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadConfig } from '../../../src/config';
import { silentLog } from '../../../src/sandbox/log';
import { told } from './fakeVscode';

vi.mock('vscode', () => import('./fakeVscode'));

const { checkSetup } = await import('../../../src/vscode/commands/checkSetup');
const { Page } = await import('../../../src/vscode/setup/page');

let home: string;
beforeAll(() => {
  home = mkdtempSync(path.join(tmpdir(), 'pixels-setup-'));
  writeFileSync(path.join(home, 'config.toml'), '[incus]\nsocket = "/nowhere/unix.socket"\n');
});
afterAll(() => rmSync(home, { recursive: true }));
beforeEach(() => {
  told.commands.clear();
  told.extensions.clear();
});

/** What the command shows on a machine without a server. */
async function shown(): Promise<string> {
  const pages: string[] = [];
  const current = {
    surroundings: () => ({ log: silentLog, dist: home, home }),
    configuration: () => loadConfig({ file: path.join(home, 'config.toml'), env: { HOME: home } }),
    apiKey: () => Promise.resolve(undefined),
  };
  const setupPage = () => ({ show: (text: string) => Promise.resolve(pages.push(text)) });
  await checkSetup({ current, setupPage } as never);
  return pages.join('---');
}

// The first look loads all adapters.
describe('Check Setup', { timeout: 30_000 }, () => {
  it('shows one page with what the command line finds, and what only the editor knows', async () => {
    const page = await shown();
    expect(page).toContain('| ✗ | **Server** | There is no Incus at /nowhere/unix.socket.');
    expect(page).toContain('| ✓ | **OpenSSH client** |');
    expect(page).toMatch(
      /⚠ \| \*\*Remote - SSH\*\* \| No extension here .*<br>→ Install the extension jeanp413\.open-remote-ssh\./,
    );
    told.extensions.add('jeanp413.open-remote-ssh');
    expect(await shown()).toContain('| ✓ | **Remote - SSH** |');
  });
});

describe('the page', () => {
  it('is rendered by the editor, and has the newest text each time', async () => {
    const page = new Page('Pixels Setup');
    const rendered: string[] = [];
    told.commands.set('markdown.showPreview', (uri) => rendered.push(`${String(uri)} ${told.provide(uri)}`));
    await page.show('one');
    await page.show('two');
    expect(rendered).toEqual(['pixels-setup:/Pixels Setup.md one', 'pixels-setup:/Pixels Setup.md two']);
    page.dispose();
  });

  it('is shown as it is in an editor that does not render Markdown', async () => {
    const page = new Page('Pixels Setup');
    told.commands.set('markdown.showPreview', () => {
      throw new Error("command 'markdown.showPreview' not found");
    });
    await page.show('text');
    expect(told.documents).toEqual(['pixels-setup:/Pixels Setup.md']);
    page.dispose();
  });
});
