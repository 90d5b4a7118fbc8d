import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { eachGoesOn } from './story';
import * as ui from './workbench';
import { makeWorld, type World } from './world';

/**
 * A secret for sandboxes, from the palette into a sandbox and out again: each test goes on where the one before ended.
 */
const run = promisify(execFile);
const value = `s3cret-${randomBytes(8).toString('hex')}`;
const hash = createHash('sha256').update(value).digest('hex');
const show = 'printf %s "$E2E_KEY" | sha256sum';
let world: World;
let page: Page;

eachGoesOn(() => world.screenshot('secrets-failed'));

beforeAll(async () => {
  world = await makeWorld();
  ({ page } = world);
  await world.pixels('create', 'lab');
  await ui.row(page, 'lab').waitFor();
});

afterAll(async () => {
  const opened = world as World | undefined; // not when it could not be made
  await opened?.screenshot('secrets-at-the-end');
  await opened?.close();
});

it('is asked for by its name, which cannot be one that a login depends on, and a value that is not shown', async () => {
  await ui.palette(page, 'Set Secret for Sandboxes');
  await ui.complains(page, /Set Secret/, 'my key', /letters, digits/);
  await ui.complains(page, /Set Secret/, 'LD_PRELOAD', /decides what a login is/);
  await world.screenshot('secrets-01-name');
  await ui.answer(page, /Set Secret/, 'E2E_KEY');
  const hidden = page.locator('.quick-input-widget input[type=password]:visible');
  await hidden.waitFor();
  await hidden.fill(value);
  await world.screenshot('secrets-02-value');
  await page.keyboard.press('Enter');
  await ui.notification(page, /E2E_KEY is kept/);
  await ui.clearNotifications(page);
});

it('is in the environment of a command and of a console', async () => {
  await ui.palette(page, 'Run Command');
  await ui.pick(page, /lab/);
  await ui.answer(page, /Run Command in lab/, show);
  await ui.terminalShows(page, new RegExp(hash.slice(0, 20)));
  await ui.clickIcon(page, 'lab', 'Open Console');
  await ui.terminalShows(page, /pixel@px-lab/);
  await page.keyboard.type(`clear; ${show}\n`);
  await ui.terminalShows(page, new RegExp(hash.slice(0, 20)));
  await world.screenshot('secrets-03-console');
});

it('is sent by the ssh of a window, by its name', async () => {
  await ui.clickIcon(page, 'lab', 'Open in New Window');
  await ui.press(page, 'Add the Line');
  await vi.waitFor(() => expect(world.windows().map(({ command }) => command)).toContain('vscode.openFolder'), 20_000);
  const directory = path.join(world.home, '.ssh/pixels');
  expect(fs.readFileSync(path.join(directory, 'config'), 'utf8')).toContain('  SendEnv E2E_KEY\n');
  expect(fs.readFileSync(path.join(directory, 'secret-names'), 'utf8')).toBe('E2E_KEY\n');
  // The command, which does not know the secret, leaves it so, and makes sandboxes that accept it.
  await world.pixels('start', 'lab');
  expect(fs.readFileSync(path.join(directory, 'config'), 'utf8')).toContain('  SendEnv E2E_KEY\n');
  const accepted = await world.pixels('exec', 'lab', '--', 'cat', '/etc/ssh/sshd_config.d/pixels.conf');
  expect(accepted).toBe('AcceptEnv E2E_KEY\n');
});

it('is in no file of the editor or of the person', async () => {
  const search = async (pattern: string) => {
    const { stdout } = await run('sh', [
      '-c',
      'grep -rlF -- "$1" "$2" || true',
      'sh',
      pattern,
      world.profile.directory,
    ]);
    return stdout;
  };
  expect(await search('E2E_KEY')).toContain('/.ssh/pixels/config'); // it does look there
  expect(await search(value)).toBe('');
});

it('is listed by its name, and forgotten on demand', async () => {
  await ui.palette(page, 'Set Secret for Sandboxes');
  await page.locator('.quick-input-list .monaco-list-row', { hasText: 'E2E_KEY' }).waitFor();
  await world.screenshot('secrets-04-list');
  await ui.pick(page, /E2E_KEY/);
  await ui.pick(page, /Remove/);
  await ui.notification(page, /E2E_KEY is forgotten/);
  await ui.clearNotifications(page);
  await ui.palette(page, 'Run Command');
  await ui.pick(page, /lab/);
  await ui.answer(page, /Run Command in lab/, show);
  await ui.terminalShows(page, new RegExp(createHash('sha256').digest('hex').slice(0, 20)));
});
