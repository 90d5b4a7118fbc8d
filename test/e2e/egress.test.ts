import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eachGoesOn } from './story';
import * as ui from './workbench';
import { makeWorld, type World } from './world';

/**
 * What a sandbox may reach, in the wizard, by the palette and in the tree: each test goes on where the one before ended.
 */
let world: World;
let page: Page;

eachGoesOn(() => world.screenshot('egress-failed'));

beforeAll(async () => {
  world = await makeWorld();
  ({ page } = world);
});

afterAll(async () => {
  const opened = world as World | undefined; // not when it could not be made
  await opened?.screenshot('egress-at-the-end');
  await opened?.close();
});

it('is asked for in the wizard, the usual first', async () => {
  await ui.palette(page, 'Create Sandbox');
  await ui.answer(page, /1\/5/, 'lab');
  await page.locator('.quick-input-title', { hasText: '2/5' }).waitFor();
  await ui.pick(page, new RegExp(world.project.image));
  await ui.answer(page, /3\/5/, '');
  await ui.answer(page, /4\/5/, '');
  await page.locator('.quick-input-title', { hasText: '5/5' }).waitFor();
  const modes = page.locator('.quick-input-list .monaco-list-row');
  await modes.filter({ hasText: 'default' }).waitFor();
  const inOrder = [/^\s*unrestricted\s*default/, /^\s*agent/, /^\s*allowlist/];
  expect(await modes.allInnerTexts()).toEqual(inOrder.map((text): unknown => expect.stringMatching(text)));
  await world.screenshot('egress-01-wizard');
  await ui.chooseEgress(page, /agents need/);
  await ui.notification(page, /lab is ready/);
  await ui.expand(page, 'lab');
  await ui.says(page, 'Egress: agent', /^\d of \d+ groups$/);
  expect(await shown()).toMatchObject({ mode: 'agent', inForce: true });
  await ui.clearNotifications(page);
});

it('has groups in the tree, which are switched off and on by an icon', async () => {
  await ui.expand(page, 'Egress: agent');
  await ui.says(page, 'Git hosting', /github\.com/);
  await ui.says(page, 'Address ranges of Google and GitHub', /^off$/);
  await ui.clickIcon(page, 'Git hosting', 'Switch Group Off');
  await ui.notification(page, /lab may not reach the group "Git hosting" any more\.$/);
  await ui.says(page, 'Git hosting', /^off$/);
  expect((await shown()).groups.find(({ id }) => id === 'git')).toMatchObject({ on: false });
  await ui.clearNotifications(page);
  const words = await ui.tooltip(page, 'Egress: agent', /In force/);
  expect(words.replaceAll(/\s+/g, ' ')).toMatch(/In force yes .*Enforced outside, by a gateway.*Off Git hosting/);
  await world.screenshot('egress-02-groups');
});

it('has check boxes for all groups', async () => {
  await ui.palette(page, 'Choose Egress Groups');
  await ui.pick(page, /lab/);
  await page.locator('.quick-input-title', { hasText: 'Egress Groups of lab' }).waitFor();
  await ui.pick(page, /Git hosting/);
  await world.screenshot('egress-03-choose-groups');
  await page.keyboard.press('Enter');
  await ui.notification(page, /lab may reach 8 of 9 groups\.$/);
  await ui.says(page, 'Git hosting', /github\.com/);
  await ui.clearNotifications(page);
});

it('lets a part of what is allowed be denied by the palette', async () => {
  await ui.palette(page, 'Deny Domain');
  await ui.pick(page, /lab/);
  await ui.complains(page, /Deny Domain for lab/, 'nobody.example', /may not reach that as it is/);
  await page.locator('.quick-input-widget input:visible').first().fill('gist.github.com');
  await world.screenshot('egress-03a-deny-domain');
  await page.keyboard.press('Enter');
  await ui.notification(page, /lab may not reach gist\.github\.com\.$/);
  await ui.says(page, 'gist.github.com', /^denied$/);
  await world.screenshot('egress-03b-denied');
  await ui.choose(page, 'gist.github.com', 'Remove Domain');
  await ui.isGone(page, 'gist.github.com');
  await ui.clearNotifications(page);
});

it('becomes another mode by the palette, and offers to allow a domain', async () => {
  await ui.palette(page, 'Set Egress Mode');
  await ui.pick(page, /lab/);
  await page.locator('.quick-input-list .monaco-list-row', { hasText: 'as it is now' }).waitFor();
  await world.screenshot('egress-04-set-mode');
  await ui.pick(page, /allowlist/);
  await ui.notification(page, /The egress of lab is allowlist\.$/);
  await ui.says(page, 'Egress: allowlist', /^empty$/);
  await ui.press(page, 'Allow Domain…');
  await ui.complains(page, /Allow Domain for lab/, 'git*.example.org', /"\*" that does not stand alone in front/);
  await page.keyboard.press('Enter');
  await ui.complains(page, /Allow Domain for lab/, 'exa mple.org', /is no domain/);
  await world.screenshot('egress-05-bad-domain');
  expect(await page.locator('.quick-input-widget input:visible').first().inputValue()).toBe('exa mple.org');
  await page.keyboard.press('Escape');
});

it('lets a domain be allowed by the palette, which is in force then', async () => {
  await ui.palette(page, 'Allow Domain');
  await ui.pick(page, /lab/);
  await ui.answer(page, /Allow Domain for lab/, 'https://Example.org/some/page');
  await ui.notification(page, /lab may reach example\.org\.$/);
  await ui.says(page, 'Egress: allowlist', /^1 domain$/);
  await ui.expand(page, 'Egress: allowlist');
  await ui.row(page, 'example.org').waitFor();
  expect(await shown()).toMatchObject({ mode: 'allowlist', inForce: true, allow: ['example.org'] });
  await world.screenshot('egress-06-allowlist');
  await ui.clearNotifications(page);
});

it('shows at once what the command does', async () => {
  await world.pixels('network', 'allow', 'lab', '10.1.2.0/24');
  await ui.row(page, '10.1.2.0/24').waitFor({ timeout: 5000 });
  await ui.says(page, 'Egress: allowlist', /^2 domains$/);
});

it('lets a domain be removed by the palette and on its row, in a stopped sandbox from its next start on', async () => {
  await ui.palette(page, 'Remove Domain');
  await ui.pick(page, /lab/);
  await page.locator('.quick-input-title', { hasText: 'Remove Domain of lab' }).waitFor();
  await ui.pick(page, /example\.org/);
  await ui.notification(page, /lab may not reach example\.org any more\.$/);
  await ui.isGone(page, 'example.org');
  await ui.row(page, 'lab').click({ button: 'right' });
  await page.locator('.monaco-menu .action-item', { hasText: 'Set Egress Mode…' }).waitFor();
  await page.waitForTimeout(400); // it fades in
  await world.screenshot('egress-07-menu');
  await page.keyboard.press('Escape');
  await world.pixels('stop', 'lab');
  await ui.says(page, 'lab', /^stopped$/);
  await ui.choose(page, '10.1.2.0/24', 'Remove Domain');
  await ui.notification(page, /lab may not reach 10\.1\.2\.0\/24 any more, from its next start on\.$/);
  await ui.says(page, 'Egress: allowlist', /^empty$/);
  await world.screenshot('egress-08-stopped');
  expect(await shown()).toMatchObject({ mode: 'allowlist', inForce: null, allow: [] });
});

it('shows what was refused, and lets it through for an hour or for good, or does not show it again', async () => {
  await world.pixels('start', 'lab');
  await ui.says(page, 'lab', /^behind a gateway$/);
  const names = 'one.example two.example three.example';
  await world.pixels('exec', 'lab', '--', 'sh', '-c', `for name in ${names}; do getent hosts $name; done; true`);
  await ui.palette(page, 'Refresh');
  await ui.says(page, 'Egress: allowlist', /^empty · 3 refused$/);
  await page
    .locator('.activitybar .action-item:has([aria-label^="Pixels"]) .badge-content', { hasText: '3' })
    .waitFor();
  await ui.expand(page, 'Egress: allowlist');
  await ui.says(page, 'Refused (3)', /^3 new$/);
  await world.screenshot('egress-09-refused');
  await ui.expand(page, 'Refused (3)');
  await ui.says(page, 'Refused (3)', /^$/);
  await ui.clickIcon(page, 'two.example', 'Allow for One Hour');
  await ui.notification(page, /lab may reach two\.example until \d/);
  await ui.says(page, 'two.example', /^until \d/);
  await ui.choose(page, 'three.example', 'Ignore');
  await ui.row(page, 'Refused (1)').waitFor();
  await world.screenshot('egress-10-for-an-hour');
  await ui.choose(page, 'one.example', 'Allow Always');
  await ui.notification(page, /lab may reach one\.example\.$/);
  await ui.says(page, 'Egress: allowlist', /^1 domain · 1 for some time$/);
  await world.screenshot('egress-11-none-refused');
  expect(await shown()).toMatchObject({ inForce: true, allow: ['one.example'], timed: [{ entry: 'two.example' }] });
});

interface Shown {
  readonly groups: readonly { readonly id: string; readonly on: boolean }[];
}

/** As the command sees it. */
async function shown(): Promise<Shown> {
  return JSON.parse(await world.pixels('network', 'show', 'lab', '--json')) as Shown;
}
