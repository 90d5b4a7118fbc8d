import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openView, runCommand } from '../../scripts/lib/workbench.mjs';
import { eachGoesOn } from './story';
import * as ui from './workbench';
import { makeWorld, type World } from './world';

/**
 * The main job, done by hand in a real editor: each test goes on where the one before ended.
 */
let world: World;
let page: Page;

eachGoesOn(() => world.screenshot('failed'));

beforeAll(async () => {
  world = await makeWorld();
  ({ page } = world);
});

afterAll(async () => {
  const opened = world as World | undefined; // not when it could not be made
  await opened?.screenshot('at-the-end');
  await opened?.close();
});

it('welcomes a person who has no sandbox yet', async () => {
  await page.locator('.welcome-view-content', { hasText: 'Create Sandbox' }).waitFor({ timeout: 30_000 });
  await world.screenshot('01-welcome');
});

it('says in the input box what is wrong with a name', async () => {
  await ui.palette(page, 'Create Sandbox');
  await ui.complains(page, /Create Sandbox/, 'Lab', /capital letters/);
  await page.keyboard.press('Enter');
  await ui.complains(page, /Create Sandbox/, 'lab-', /must not end with a hyphen/);
  await world.screenshot('02-invalid-name');
  await page.keyboard.press('Escape');
});

it('creates a sandbox from the palette', async () => {
  await ui.palette(page, 'Create Sandbox');
  await ui.answer(page, /1\/5/, 'lab');
  await page.locator('.quick-input-title', { hasText: '2/5' }).waitFor();
  await page.locator('.quick-input-list .monaco-list-row', { hasText: world.project.image }).first().waitFor();
  await world.screenshot('03-source');
  await page.keyboard.press('Enter');
  await ui.complains(page, /3\/5/, '0', /A whole number from 1/);
  await ui.answer(page, /3\/5/, '1');
  await ui.answer(page, /4\/5/, '512');
  await ui.chooseEgress(page, /default/);
  await ui.row(page, 'lab').waitFor();
  await delay(700);
  await world.screenshot('04-creating');
  await ui.notification(page, /lab is ready/);
  await ui.says(page, 'lab', /^(\d+\.){3}\d+$/);
  await world.screenshot('05-created');
  const { config } = (await world.project.raw.must('GET', '/1.0/instances/px-lab')) as {
    config: Record<string, string>;
  };
  expect(config).toMatchObject({ 'limits.cpu': '1', 'limits.memory': '512MiB' });
  await ui.clearNotifications(page);
});

it('refuses a name that is taken, in the input box', async () => {
  await ui.palette(page, 'Create Sandbox');
  await ui.complains(page, /1\/5/, 'px-lab', /There is already a sandbox "lab"/);
  await page.keyboard.press('Escape');
});

it('shows within two seconds what is done from outside', async () => {
  await world.project.raw.must('PUT', '/1.0/instances/px-lab/state', { action: 'stop', force: true });
  const stopped = performance.now();
  await ui.says(page, 'lab', /^stopped$/, 2000);
  console.log(`an outside stop was in the row after ${Math.round(performance.now() - stopped)} ms`);
});

it('starts it by the icon on the row', async () => {
  await ui.clickIcon(page, 'lab', 'Start');
  await ui.says(page, 'lab', /^(\d+\.){3}\d+$/);
});

it('runs a command in a terminal that shows its output and how it ended', async () => {
  await ui.choose(page, 'lab', 'Run Command');
  await ui.answer(page, /Run Command in lab/, 'echo original > note.txt; id -un; echo and $((20 + 3))');
  await ui.terminalShows(page, /pixel[\s\S]*and.23/);
  await ui.terminalShows(page, /Ended.with.exit.code.0/);
  await world.screenshot('06-run-command');
});

it('takes a checkpoint by right-click', async () => {
  await ui.choose(page, 'lab', 'Create Checkpoint');
  await ui.complains(page, /Create Checkpoint of lab/, 'no good', /may only have letters/);
  await ui.answer(page, /Create Checkpoint of lab/, 'ready');
  await ui.expand(page, 'lab');
  await ui.says(page, 'ready', /just now/);
  await ui.row(page, 'lab').hover();
  await page.locator('.monaco-hover', { hasText: 'Memory' }).waitFor();
  await world.screenshot('07-checkpoint-and-tooltip');
});

it('restores it by right-click after saying what will be lost, and the file is as it was', async () => {
  await ui.palette(page, 'Run Command');
  await ui.pick(page, /lab/);
  await ui.answer(page, /Run Command in lab/, 'echo spoiled > note.txt; sync; cat note.txt');
  await ui.terminalShows(page, /spoiled/);
  await vi.waitFor(async () => expect(await world.ssh('lab.pixels', 'cat', 'note.txt')).toBe('spoiled\n'), 10_000);

  await ui.choose(page, 'ready', 'Restore Checkpoint');
  expect(await ui.dialogText(page)).toMatch(/Restore lab to ready\?.*changed in it since.*this can be undone/);
  await world.screenshot('08-restore-asks');
  await ui.press(page, 'Restore');
  await delay(800);
  await world.screenshot('09-restoring');
  await ui.row(page, 'before the last restore').waitFor();
  await ui.says(page, 'lab', /^(\d+\.){3}\d+$/);
  expect(await world.ssh('lab.pixels', 'cat', 'note.txt')).toBe('original\n');
  expect(await ui.labels(page)).toEqual(['lab', 'before the last restore', 'ready']);
  await world.screenshot('10-restored');
});

it('opens a window after asking, with a comparison, for one line in the SSH configuration', async () => {
  const config = path.join(world.home, '.ssh/config');
  fs.writeFileSync(config, '# mine\nHost nas\n  User me\n');
  await ui.clickIcon(page, 'lab', 'Open in New Window');
  expect(await ui.dialogText(page)).toContain('Add one line to ~/.ssh/config?');
  await page.locator('.monaco-diff-editor', { hasText: 'Include' }).first().waitFor();
  await delay(500);
  await world.screenshot('11-include-asks');
  expect(fs.readFileSync(config, 'utf8')).not.toContain('Include');
  await ui.press(page, 'Add the Line');
  await vi.waitFor(() => expect(world.windows().map(({ command }) => command)).toContain('vscode.openFolder'), 20_000);
  expect(world.windows().find(({ command }) => command === 'vscode.openFolder')).toEqual({
    command: 'vscode.openFolder',
    uri: 'vscode-remote://ssh-remote+lab.pixels/home/pixel',
    options: { forceNewWindow: true },
  });
  expect(fs.readFileSync(config, 'utf8')).toMatch(
    /^Include .*\.ssh\/pixels\/config"?\n# mine\nHost nas\n {2}User me\n$/,
  );
  const settings = fs.readFileSync(path.join(world.home, '../data/User/settings.json'), 'utf8');
  expect(settings).toMatch(/"\*\.pixels": "linux"/);
});

it('asks for that line only once', async () => {
  await ui.palette(page, 'Open in This Window');
  await ui.pick(page, /lab/);
  await vi.waitFor(() => expect(world.windows().at(-1)?.options).toEqual({ forceNewWindow: false }), 20_000);
});

it('opens a console with a prompt', async () => {
  await ui.clickIcon(page, 'lab', 'Open Console');
  await ui.terminalShows(page, /pixel@px-lab/);
  await page.keyboard.type('hostname && pwd\n');
  await ui.terminalShows(page, /\/home\/pixel/);
  await world.screenshot('12-console');
});

it('has the pixels command in a terminal, on the same server', async () => {
  await runCommand(page, 'Terminal: Create New Terminal');
  await ui.terminalShows(page, /[$#]/);
  await page.keyboard.type('pixels list\n');
  await ui.terminalShows(page, /lab.+running/);
  await world.screenshot('12-pixels-in-a-terminal');
});

it('makes a sandbox from a checkpoint', async () => {
  await ui.clickIcon(page, 'ready', 'New Sandbox from Checkpoint');
  await ui.answer(page, /New Sandbox from ready of lab/, 'lab-2');
  await ui.notification(page, /lab-2 is ready/);
  await vi.waitFor(async () => expect(await world.ssh('lab-2.pixels', 'cat', 'note.txt')).toBe('original\n'), 10_000);
  await ui.clearNotifications(page);
});

it('leaves nothing when a create is cancelled', async () => {
  await ui.palette(page, 'Create Sandbox');
  await ui.answer(page, /1\/5/, 'never');
  await ui.pick(page, new RegExp(world.project.bareImage)); // has an SSH server to install: time to cancel in
  await ui.answer(page, /3\/5/, '');
  await ui.answer(page, /4\/5/, '');
  await ui.chooseEgress(page, /default/);
  await ui.press(page, 'Cancel');
  await ui.isGone(page, 'never');
  const left = (await world.project.raw.must('GET', '/1.0/instances?recursion=1')) as { name: string }[];
  expect(left.map(({ name }) => name).sort()).toEqual(['px-lab', 'px-lab-2']);
});

it('stops several at once and says which were left out', async () => {
  await world.project.raw.must('PUT', '/1.0/instances/px-lab-2/state', { action: 'stop', force: true });
  await ui.says(page, 'lab-2', /^stopped$/);
  await ui.row(page, 'lab').click();
  await ui.row(page, 'lab-2').click({ modifiers: ['Control'] });
  // The menu of a selection has what suits the row that was clicked.
  await ui.choose(page, 'lab', 'Stop');
  expect(await ui.notification(page, /Already stopped/)).toContain('lab-2');
  await ui.says(page, 'lab', /^stopped$/);
  await world.screenshot('13-stopped-several');
  await ui.clearNotifications(page);
});

it('asks the server for nothing while the view is hidden, and is right again when it is shown', async () => {
  await openView(page, 'Explorer');
  await vi.waitFor(() => expect(world.proxy.watchers).toBe(0), 10_000);
  const before = world.proxy.requests.length;
  await world.project.raw.must('PUT', '/1.0/instances/px-lab/state', { action: 'start' });
  await delay(3000);
  expect(world.proxy.requests.slice(before)).toEqual([]);
  expect(world.proxy.watchers).toBe(0);
  await openView(page, 'Pixels');
  await ui.says(page, 'lab', /^(running|(\d+\.){3}\d+)$/);
});

it('keeps showing what it knew when the daemon goes away, with a row that says so, and recovers', async () => {
  await world.proxy.close();
  await ui.row(page, 'Not connected').waitFor();
  await ui.row(page, 'Not connected').hover();
  await world.screenshot('14-daemon-gone');
  expect(await ui.labels(page)).toContain('lab');
  await world.proxy.open();
  await ui.clickIcon(page, 'Not connected', 'Retry');
  await ui.isGone(page, 'Not connected');
  await ui.row(page, 'lab').waitFor();
});

it('keeps the last good configuration when the file is broken by an edit, and says so', async () => {
  const file = path.join(world.home, '.config/pixels/config.toml');
  const good = fs.readFileSync(file, 'utf8');
  fs.writeFileSync(file, '[incus\n');
  expect(await ui.notification(page, /config\.toml/)).toContain('the configuration from before stays in use');
  await delay(400);
  await world.screenshot('15-broken-configuration');
  await ui.row(page, 'lab').waitFor();
  fs.writeFileSync(file, good);
  await ui.clearNotifications(page);
});

it('destroys several after saying what will be lost', async () => {
  await ui.row(page, 'lab').click();
  await ui.row(page, 'lab-2').click({ modifiers: ['Control'] });
  await ui.choose(page, 'lab', 'Destroy');
  expect(await ui.dialogText(page)).toMatch(
    /Destroy 2 sandboxes\?.*lab: Its files and its checkpoint ready are lost.*lab-2: .*cannot be undone/,
  );
  await world.screenshot('16-destroy-asks');
  await ui.press(page, 'Destroy');
  await ui.isGone(page, 'lab');
  await ui.isGone(page, 'lab-2');
  expect(await world.project.raw.must('GET', '/1.0/instances')).toEqual([]);
  await vi.waitFor(() => {
    expect(fs.readFileSync(path.join(world.home, '.ssh/pixels/config'), 'utf8')).not.toContain('lab.pixels');
  }, 10_000);
});

it('takes the SSH integration away on demand and leaves the rest of the file', async () => {
  await ui.palette(page, 'Remove SSH Integration');
  expect(await ui.dialogText(page)).toContain('Remove the SSH integration?');
  await ui.press(page, 'Remove');
  await ui.notification(page, /integration is removed/);
  expect(fs.readFileSync(path.join(world.home, '.ssh/config'), 'utf8')).toBe('# mine\nHost nas\n  User me\n');
  expect(fs.existsSync(path.join(world.home, '.ssh/pixels'))).toBe(false);
});
