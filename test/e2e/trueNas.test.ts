import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openView } from '../../scripts/lib/workbench.mjs';
import { startTrueNasServer, type TrueNasServer } from '../truenas-server';
import { eachGoesOn } from './story';
import * as ui from './workbench';
import { makeWorld, type World } from './world';

/**
 * The main job on a TrueNAS, done by hand in a real editor: each test goes on where the one before ended.
 */
const run = promisify(execFile);
let world: World;
let nas: TrueNasServer;
let page: Page;

eachGoesOn(() => world.screenshot('nas-failed'));

beforeAll(async () => {
  world = await makeWorld();
  ({ page } = world);
  const { socket, project } = world.project;
  nas = await startTrueNasServer({ socket, project, incusPool: 'default', profile: '25.10.5' });
});

afterAll(async () => {
  const opened = world as World | undefined; // not when it could not be made
  await opened?.screenshot('nas-at-the-end');
  await (nas as TrueNasServer | undefined)?.close();
  await opened?.close();
});

it('refuses an address that would send the key in plain text', async () => {
  await ui.palette(page, 'Connect to TrueNAS');
  await ui.complains(page, /1\/4/, 'http://127.0.0.1', /revokes an API key/);
  await page.keyboard.press('Escape');
});

it('asks whether the certificate is the right one before anything secret is sent', async () => {
  await ui.palette(page, 'Connect to TrueNAS');
  await ui.answer(page, /1\/4/, `127.0.0.1:${nas.port}`);
  expect((await ui.dialogText(page)).replaceAll(' ', '')).toContain(nas.fingerprint);
  await world.screenshot('nas-01-fingerprint');
  expect(nas.calls).toEqual([]);
  await ui.press(page, 'Trust This Certificate');
  await ui.answer(page, /3\/4/, nas.username);
});

it('says what is wrong with a key, and takes the right one', async () => {
  await ui.complains(page, /4\/4/, 'abc', /no API key/);
  const wrong = `1-${'x'.repeat(64)}`;
  await ui.answer(page, /4\/4/, wrong);
  expect(await ui.notification(page, /does not accept/)).not.toContain(wrong);
  await delay(500);
  await world.screenshot('nas-02-wrong-key');
  await ui.answer(page, /4\/4/, nas.apiKey);
  expect(await ui.notification(page, /Connected to TrueNAS/)).toContain('25.10');
  await world.screenshot('nas-03-connected');
  const readSettings = () => fs.readFileSync(path.join(world.home, '../data/User/settings.json'), 'utf8');
  await vi.waitFor(() => expect(readSettings()).toMatch(/"pixels.backend": "truenas"/), 10_000);
  await ui.clearNotifications(page);
  const settings = readSettings();
  expect(settings).toContain(nas.fingerprint);
  expect(settings).not.toContain(nas.apiKey);
});

it('creates a sandbox on it, with a login over SSH through the API', async () => {
  await create('attic');
  await ui.row(page, 'attic').waitFor();
  await delay(700);
  await world.screenshot('nas-04-creating');
  await ui.notification(page, /attic is ready/);
  await ui.says(page, 'attic', /^(\d+\.){3}\d+$/);
  await ui.clearNotifications(page);
  await vi.waitFor(async () => expect(await ssh('hostname; id -un')).toBe('px-attic\npixel\n'), 20_000);
});

it('takes a checkpoint and restores it, and the file is as it was', async () => {
  await ssh('echo original > note.txt; sync');
  await ui.choose(page, 'attic', 'Create Checkpoint');
  await ui.answer(page, /Create Checkpoint of attic/, 'ready');
  await ui.expand(page, 'attic');
  await ui.says(page, 'ready', /just now/);
  await ui.choose(page, 'attic', 'Create Checkpoint');
  await ui.answer(page, /Create Checkpoint of attic/, 'later');
  await ui.row(page, 'later').waitFor();
  await nas.call('pool.snapshot.create', [{ dataset: 'tank/.ix-virt/containers/px-attic', name: 'auto-2026-11-23' }]);
  await ssh('echo spoiled > note.txt; sync');

  await ui.choose(page, 'ready', 'Restore Checkpoint');
  expect(await ui.dialogText(page)).toMatch(
    /Restore attic to ready\?.*Newer checkpoints are destroyed: later\..*others took: auto-2026-11-23\..*cannot be undone/,
  );
  await world.screenshot('nas-05-restore-asks');
  await ui.press(page, 'Restore');
  await ui.isGone(page, 'later');
  await ui.says(page, 'attic', /^(\d+\.){3}\d+$/);
  await vi.waitFor(async () => expect(await ssh('cat note.txt')).toBe('original\n'), 20_000);
  await world.screenshot('nas-06-restored');
});

it('opens a console without SSH', async () => {
  await ui.clickIcon(page, 'attic', 'Open Console');
  await ui.terminalShows(page, /pixel@px-attic/);
  await page.keyboard.type('hostname && pwd\n');
  await ui.terminalShows(page, /\/home\/pixel/);
  await world.screenshot('nas-07-console');
});

it('makes a sandbox from a checkpoint', async () => {
  await ui.clickIcon(page, 'ready', 'New Sandbox from Checkpoint');
  await ui.answer(page, /New Sandbox from ready of attic/, 'attic-2');
  await ui.notification(page, /attic-2 is ready/);
  await ui.clearNotifications(page);
  expect(await nas.call('cronjob.query')).toEqual([]);
});

it('keeps showing what it knew when the NAS goes away, and recovers', async () => {
  await nas.restartMiddleware({ downMs: 4000 });
  await ui.row(page, 'Not connected').waitFor();
  await world.screenshot('nas-08-gone');
  expect(await ui.labels(page)).toContain('attic');
  await ui.isGone(page, 'Not connected');
});

it('ends a create in a sentence when the middleware is restarted in the middle of it, and finishes it on demand', async () => {
  const calls = nas.calls.length;
  await create('cellar');
  await vi.waitFor(
    () => expect(nas.calls.slice(calls).map(({ method }) => method)).toContain('auth.generate_token'), // it sets up the login
    { timeout: 30_000, interval: 5 },
  );
  await nas.restartMiddleware({ downMs: 2000 });
  expect(await ui.notification(page, /cellar was created, but/)).toMatch(/^[^\n]+\.$/);
  await ui.says(page, 'cellar', /^creation unfinished$/);
  await ui.nothingSpins(page);
  await world.screenshot('nas-09-restarted-while-creating');
  await ui.clearNotifications(page);
  await ui.choose(page, 'cellar', 'Finish Interrupted Action');
  await ui.says(page, 'cellar', /^(\d+\.){3}\d+$/);
  await ui.nothingSpins(page);
  await vi.waitFor(async () => expect(await ssh('id -un', 'cellar')).toBe('pixel\n'), 20_000);
});

it('destroys them', async () => {
  await ui.row(page, 'attic').click();
  await ui.row(page, 'attic-2').click({ modifiers: ['Control'] });
  await ui.row(page, 'cellar').click({ modifiers: ['Control'] });
  await ui.choose(page, 'attic', 'Destroy');
  await ui.press(page, 'Destroy');
  await ui.isGone(page, 'attic');
  await ui.isGone(page, 'attic-2');
  await ui.isGone(page, 'cellar');
  expect(await world.project.raw.must('GET', '/1.0/instances')).toEqual([]);
});

it('shows on a page how the setup is, with what is to be looked at first', async () => {
  await ui.palette(page, 'Check Setup');
  const text = await ui.sourceOfPreview(page, 'Preview Pixels Setup.md');
  await world.screenshot('nas-10-setup');
  expect(text).toMatch(
    /^# Setup of Pixels Nothing failed; warnings: 1\. .* ## To look at .*\*\*SSH configuration\*\*.* ## In order /,
  );
});

it('offers to pin a certificate that the configuration leaves unchecked, and pins it', async () => {
  const file = path.join(world.home, '.config/pixels/config.toml');
  fs.appendFileSync(file, '\n[truenas]\ninsecure_skip_verify = true\n');
  fs.chmodSync(file, 0o600);
  const settingsFile = path.join(world.home, '../data/User/settings.json');
  const settings = () => JSON.parse(fs.readFileSync(settingsFile, 'utf8')) as Record<string, unknown>;
  const { 'pixels.truenas.fingerprint': pinned, ...unpinned } = settings();
  expect(String(pinned).replaceAll(':', '')).toBe(nas.fingerprint.replaceAll(':', ''));
  fs.writeFileSync(settingsFile, JSON.stringify(unpinned));
  await page.reload();
  await openView(page, 'Pixels');
  await ui.notification(page, /Nobody checks the certificate/);
  await world.screenshot('nas-11-unchecked');
  await ui.press(page, 'Pin Certificate');
  expect((await ui.dialogText(page)).replaceAll(' ', '')).toContain(nas.fingerprint);
  await ui.press(page, 'Trust This Certificate');
  await vi.waitFor(() => expect(settings()['pixels.truenas.fingerprint']).toBe(pinned), 10_000);
});

/** Goes through the questions for a new sandbox of the usual image. */
async function create(name: string): Promise<void> {
  await ui.palette(page, 'Create Sandbox');
  await ui.answer(page, /1\/5/, name);
  await page.locator('.quick-input-title', { hasText: '2/5' }).waitFor();
  await page.locator('.quick-input-list .monaco-list-row', { hasText: world.project.image }).first().waitFor();
  await page.keyboard.press('Enter');
  await ui.answer(page, /3\/5/, '1');
  await ui.answer(page, /4\/5/, '512');
  await ui.chooseEgress(page, /default/);
}

/** As an ssh that the editor starts: the key is in its environment. */
async function ssh(command: string, name = 'attic'): Promise<string> {
  const config = path.join(world.home, '.ssh/pixels/config');
  const { stdout } = await run('ssh', ['-F', config, '-o', 'BatchMode=yes', `${name}.pixels`, '--', command], {
    timeout: 30_000,
    env: { ...process.env, PIXELS_TUNNEL_API_KEY: nas.apiKey },
  });
  return stdout;
}
