import type { Locator, Page } from 'playwright-core';
import { runCommand } from '../../scripts/lib/workbench.mjs';

/** What a person does with mouse and keyboard, and what they see. */

/** The row with exactly this label, whatever else it says. */
export function row(page: Page, label: string): Locator {
  const name = page.locator('.label-name', { hasText: exactly(label) });
  return page.locator('.sidebar .pane-body .monaco-list-row').filter({ has: name });
}

/** Matches this text and nothing else. */
function exactly(text: string): RegExp {
  return new RegExp(`^${text.replaceAll(/[.()]/g, '\\$&')}$`);
}

/** Waits until the row says this beside its label. */
export async function says(page: Page, label: string, description: RegExp, timeout = 60_000): Promise<void> {
  const text = page.locator('.label-description', { hasText: description });
  await row(page, label).filter({ has: text }).waitFor({ timeout });
}

export async function isGone(page: Page, label: string): Promise<void> {
  await row(page, label).waitFor({ state: 'detached', timeout: 60_000 });
}

/** The labels of all rows, from above. */
export function labels(page: Page): Promise<string[]> {
  return page.locator('.sidebar .pane-body .monaco-list-row .label-name').allInnerTexts();
}

/** Waits until no row and no notification says any more that something is being done. */
export async function nothingSpins(page: Page): Promise<void> {
  const spinning = '.codicon-modifier-spin, .notifications-toasts .monaco-progress-container.active';
  await page.locator(spinning).first().waitFor({ state: 'detached', timeout: 60_000 });
}

/** Chooses from a row's context menu. */
export async function choose(page: Page, label: string, item: string): Promise<void> {
  await row(page, label).click({ button: 'right' });
  const entry = page.locator('.monaco-menu .action-item').filter({ hasText: new RegExp(`^${item}$`) });
  await entry.waitFor();
  await page.waitForTimeout(400); // a menu ignores clicks right after it opened
  await entry.click();
}

/** Clicks one of a row's icons. */
export async function clickIcon(page: Page, label: string, title: string): Promise<void> {
  await row(page, label).hover();
  await row(page, label).locator(`.actions .action-label[aria-label^="${title}"]`).click();
}

/** Opens a row's children, when it has got some. */
export async function expand(page: Page, label: string): Promise<void> {
  const name = page.locator('.label-name', { hasText: exactly(label) });
  const expandable = page.locator('.sidebar .pane-body .monaco-list-row[aria-expanded]').filter({ has: name });
  await expandable.waitFor();
  if ((await expandable.getAttribute('aria-expanded')) === 'false')
    await expandable.locator('.monaco-tl-twistie').click();
}

/** The text that appears when one points at a row. It goes away when the row is drawn again just then. */
export async function tooltip(page: Page, label: string, text: RegExp): Promise<string> {
  const hover = page.locator('.monaco-hover:visible', { hasText: text });
  for (let tries = 0; ; tries++) {
    await page.mouse.move(640, 400);
    await row(page, label).hover();
    const shown = hover.waitFor({ timeout: 5000 }).then(() => hover.innerText());
    if (tries === 5) return shown;
    const found = await shown.catch(() => undefined);
    if (found !== undefined) return found;
  }
}

/** Runs one of our commands by its title in the palette. */
export async function palette(page: Page, title: string): Promise<void> {
  await runCommand(page, `Pixels: ${title}`);
}

/** Types into the quick input with this title, and waits until it complains like this. */
export async function complains(page: Page, title: RegExp, text: string, complaint: RegExp): Promise<void> {
  await typeInto(page, title, text);
  await page.locator('.quick-input-message', { hasText: complaint }).waitFor({ timeout: 5000 });
}

/** Fills in the quick input with this title and accepts it. */
export async function answer(page: Page, title: RegExp, text: string): Promise<void> {
  await typeInto(page, title, text);
  await page.keyboard.press('Enter');
}

async function typeInto(page: Page, title: RegExp, text: string): Promise<void> {
  const box = page
    .locator('.quick-input-widget')
    .filter({ has: page.locator('.quick-input-title', { hasText: title }) });
  await box.waitFor({ timeout: 20_000 });
  await box.locator('.quick-input-filter input:visible, .quick-input-box input:visible').first().fill(text);
}

/** Takes the line with this text from the list that is open. */
export async function pick(page: Page, text: RegExp): Promise<void> {
  await page.locator('.quick-input-list .monaco-list-row', { hasText: text }).first().click();
}

/** Answers the last question of Create Sandbox, what it may reach. */
export async function chooseEgress(page: Page, text: RegExp): Promise<void> {
  await page.locator('.quick-input-title', { hasText: '5/5' }).waitFor({ timeout: 20_000 });
  await pick(page, text);
}

/** The text of the dialog that is open. */
export async function dialogText(page: Page): Promise<string> {
  const dialog = page.locator('.monaco-dialog-box');
  await dialog.waitFor();
  return (await dialog.innerText()).replaceAll(/\s+/g, ' ');
}

/** Presses a button of the dialog or the notification that is open. */
export async function press(page: Page, button: string): Promise<void> {
  const places = '.monaco-dialog-box .monaco-button, .notifications-toasts .monaco-button';
  await page
    .locator(places)
    .filter({ hasText: new RegExp(`^${button}$`) })
    .first()
    .click();
}

/** Waits for a notification and returns its text. */
export async function notification(page: Page, text: RegExp): Promise<string> {
  const message = page.locator('.notifications-toasts .notification-list-item-message', { hasText: text }).first();
  await message.waitFor({ timeout: 60_000 });
  return message.innerText();
}

export async function clearNotifications(page: Page): Promise<void> {
  await runCommand(page, 'Notifications: Clear All Notifications');
}

/** Waits until the visible terminal shows this. */
export async function terminalShows(page: Page, text: RegExp): Promise<void> {
  await page.locator('.xterm-rows:visible', { hasText: text }).waitFor({ timeout: 30_000 });
}

/**
 * Waits for the preview of a page of Markdown, goes to its source and returns what is to be seen of it. A preview is a webview, and the
 * first one of an editor in a browser takes from half a minute to for ever on a busy machine.
 */
export async function sourceOfPreview(page: Page, title: string): Promise<string> {
  await page.getByRole('tab', { name: title }).waitFor({ timeout: 60_000 });
  await page.locator('.editor-actions .action-label[aria-label^="Open Source File"]').click();
  const lines = page.locator('.editor-instance .view-lines', { hasText: /\S/ }).first();
  await lines.waitFor();
  return (await lines.innerText()).replaceAll(/\s+/g, ' ');
}
