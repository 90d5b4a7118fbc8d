import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { createProfile, installExtension, startEditor, type Editor } from '../../scripts/lib/editor-host.mjs';
import { launchBrowser, openView, openWorkbench, runCommand } from '../../scripts/lib/workbench.mjs';
import { CountingProxy } from '../e2e/countingProxy';
import { says } from '../e2e/workbench';
import type { TestProject } from '../support/testProject';
import { median, repeatedly, timeOf, type Row } from './measure';
import type { World } from './world';

/** While a window opens, extensions wait for each other, and the time of one contains that of others. */
const SETTLED_MS = 5000;
const HIDDEN_MS = 5000;

/** What a real VS Code says about the built extension: activation, a row that follows the server, silence while hidden. */
export async function inTheEditor({ project, source }: World, vsix: string): Promise<Row[]> {
  const { PIXELS_TEST_CHROMIUM: chromium = '', PIXELS_TEST_EDITOR: editorDirectory } = process.env;
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'pixels-bench-editor-'));
  const proxy = new CountingProxy(path.join(directory, 'incus.socket'), project.socket);
  await proxy.open();
  const profile = createProfile(directory, {
    editor: editorDirectory,
    settings: { 'pixels.incus.socket': proxy.path, 'pixels.incus.project': project.project },
  });
  await installExtension(profile, vsix);
  const editor = await startEditor(profile);
  const browser = await launchBrowser(chromium);
  try {
    const activations: number[] = [];
    for (let run = 0; run < 10; run++) activations.push(await activation(browser, editor));
    const page = await openWorkbench(browser, editor, { folder: profile.workspace });
    await openView(page, 'Pixels');
    return [
      { operation: 'activation in the editor, settled', pixels: median(activations), goal: { value: 10 } },
      await outsideChange(page, project, source),
      await hidden(page, proxy, project, source),
    ];
  } finally {
    await browser.close();
    await editor.stop();
    await proxy.close();
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

/** Loading the code and calling `activate`, as "Show Running Extensions" has it. */
async function activation(browser: Browser, editor: Editor): Promise<number> {
  // So high that the list, which draws only what one can see, shows every extension.
  const viewport = { width: 1280, height: 2400 };
  const page = await openWorkbench(browser, editor, { folder: editor.profile.workspace, viewport });
  try {
    await page.waitForTimeout(SETTLED_MS);
    await openView(page, 'Pixels');
    await page.locator('.sidebar .pane-body .monaco-list-row').first().waitFor({ timeout: 30_000 });
    await runCommand(page, 'Developer: Show Running Extensions');
    const row = page.locator('.runtime-extensions-editor .monaco-list-row', { hasText: 'Pixels' }).first();
    const text = await row.locator('.activation-time').innerText();
    const [, ms] = /(\d+)\s*ms/.exec(text) ?? [];
    if (ms === undefined) throw new Error(`No activation time in "${text}"`);
    return Number(ms);
  } finally {
    await page.context().close();
  }
}

/** From when an outsider's stop is done to when the row says so. */
async function outsideChange(page: Page, project: TestProject, source: string): Promise<Row> {
  await says(page, source, /^(\d+\.){3}\d+$/);
  const value = await repeatedly(10, async () => {
    await setState(project, source, 'stop');
    const ms = await timeOf(() => page.waitForFunction(rowSays, [source, 'stopped'], { polling: 'raf' }));
    await setState(project, source, 'start');
    await says(page, source, /^(\d+\.){3}\d+$/);
    return ms;
  });
  return { operation: 'outside stop to the row in the editor', pixels: value, goal: { value: 200 } };
}

/** Runs in the page. */
function rowSays([label, description]: string[]): boolean {
  const { document } = globalThis as unknown as {
    document: { querySelectorAll(selector: string): Iterable<{ textContent: string | null }> };
  };
  const rows = [...document.querySelectorAll('.sidebar .pane-body .monaco-list-row')];
  return rows.some(({ textContent }) => textContent?.startsWith(`${label ?? ''}${description ?? ''}`) === true);
}

/** How much is asked while another view is open and something happens on the server. */
async function hidden(page: Page, proxy: CountingProxy, project: TestProject, source: string): Promise<Row> {
  await openView(page, 'Explorer');
  await page.waitForTimeout(1000);
  const before = proxy.requests.length;
  await setState(project, source, 'stop');
  await page.waitForTimeout(HIDDEN_MS);
  const requests = proxy.requests.length - before + proxy.watchers;
  await setState(project, source, 'start');
  return {
    operation: 'requests and event connections while hidden',
    pixels: requests,
    unit: 'requests',
    goal: { value: 0 },
  };
}

async function setState({ raw }: TestProject, name: string, action: string): Promise<void> {
  await raw.must('PUT', `/1.0/instances/px-${name}/state`, { action, force: true });
}
