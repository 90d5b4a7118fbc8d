/** Drives the workbench of a VS Code that editor-host.mjs started, in a headless Chromium (types: workbench.d.mts). */
import path from 'node:path';
import { cacheDir, delay } from './steps.mjs';

/** Launches a headless Chromium; `executablePath` as `ensureChromium()` gives it. */
export async function launchBrowser(executablePath) {
  const { chromium } = await import('playwright-core'); // a dev dependency, there after `npm ci`
  const quiet = [
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
  ];
  // As root, Chromium starts only without its own sandbox. It opens nothing but the VS Code on this machine.
  const args = process.getuid() === 0 ? [...quiet, '--no-sandbox'] : quiet;
  const env = { ...process.env, XDG_CONFIG_HOME: path.join(cacheDir, 'chromium') }; // its crash reports' settings
  return chromium.launch({ executablePath, headless: true, args, env });
}

/** Opens the workbench in a fresh browser context, on `folder` or without one; resolves when it can be used. */
export async function openWorkbench(browser, editor, { folder, viewport = { width: 1280, height: 800 } } = {}) {
  const context = await browser.newContext({ viewport });
  // The session cookie of the log-in page, without its form.
  await context.request.post(`${editor.url}login`, { form: { password: editor.profile.password } });
  const page = await context.newPage();
  const query = new URLSearchParams(folder ? { folder } : { ew: 'true' }); // `ew`: an empty window, not the last folder
  await page.goto(`${editor.url}?${query}`);
  await page.waitForSelector('.monaco-workbench .part.statusbar', { timeout: 60_000 });
  return page;
}

/** Runs a command by its title, through the command palette as a person does. */
export async function runCommand(page, title) {
  await page.keyboard.press('F1');
  const input = page.locator('.quick-input-widget input[type=text]').first();
  await input.waitFor({ state: 'visible' });
  await input.fill(`>${title}`);
  await page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first().click();
}

/**
 * Opens a view container by its title in the activity bar, unless it is open. A click on one that is open closes it, and a window that
 * has just begun may open it by itself meanwhile: it has to stay open for a moment.
 */
export async function openView(page, title) {
  const item = page.locator(`.activitybar li.action-item:has(> [aria-label^="${title}"])`).first();
  await item.waitFor({ state: 'visible', timeout: 30_000 });
  const isOpen = async () =>
    (await item.getAttribute('aria-selected')) === 'true' ||
    /\bchecked\b/.test((await item.getAttribute('class')) ?? '');
  for (let attempt = 0; attempt < 5; attempt++) {
    if (!(await isOpen())) await item.click();
    await delay(300);
    if (await isOpen()) return;
  }
}

/** The tree row with this visible label (its accessible one may say more); waits until it is there. */
export async function treeRow(page, label, { timeoutMs = 30_000 } = {}) {
  const name = page.locator('.label-name').filter({ hasText: exactly(label) });
  const row = page.locator('.pane-body .monaco-list-row').filter({ has: name }).first();
  await row.waitFor({ state: 'visible', timeout: timeoutMs });
  return row;
}

/** Opens a tree row's children where they are closed. */
export async function expand(page, row) {
  if ((await row.getAttribute('aria-expanded')) === 'false') await row.locator('.monaco-tl-twistie').click();
  await delay(100); // the list animates
}

/** What the notifications say at the moment. */
export const notifications = (page) =>
  page.locator('.notifications-toasts .notification-list-item-message').allInnerTexts();

const exactly = (text) => new RegExp(`^\\s*${text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}\\s*$`);
