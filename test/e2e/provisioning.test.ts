import fs from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openView, runCommand } from '../../scripts/lib/workbench.mjs';
import { eachGoesOn } from './story';
import * as ui from './workbench';
import { makeWorld, type World } from './world';

/**
 * A recipe from the editor's side: how far it is, that it failed and why, trying it again. Each test goes on where the one
 * before ended, and so do the steps: one waits for the file `go`, one for a word in the file `answer`.
 */
const RECIPE = `
title = "Sample tools"

[[steps]]
id = "base"
title = "base tools"
script = "for number in $(seq 300); do echo unpacking $number; done"

[[steps]]
id = "shaky"
title = "Shaky"
retries = 1
script = """
if [ ! -e /root/tried ]; then touch /root/tried; echo no answer; exit 1; fi
until [ -e /home/pixel/go ]; do sleep 0.1; done
"""

[[steps]]
id = "gadget"
title = "Gadget"
needs = ["base"]
retries = 0
script = """
echo looking for the other half
until read -r answer </home/pixel/answer; do sleep 0.1; done 2>/dev/null
rm /home/pixel/answer
if [ $answer != found ]; then echo no other half; exit 1; fi
"""

[[steps]]
id = "last"
title = "Last"
needs = ["gadget"]
script = "echo the last word"
`;

let world: World;
let page: Page;

eachGoesOn(() => world.screenshot('provisioning-failed-test'));

beforeAll(async () => {
  world = await makeWorld({ recipe: RECIPE });
  ({ page } = world);
});

afterAll(async () => {
  await (world as World | undefined)?.close();
});

it('is ready at once, and says on the row of a new sandbox what is being installed', async () => {
  await create('lab', new RegExp(`^${world.project.image}`)); // an image: nothing is cloned, and no base built
  await ui.notification(page, /lab is ready\. Installing its recipe goes on in the background/);
  const buttons = page.locator('.notifications-toasts .monaco-button');
  expect(await buttons.allInnerTexts()).toEqual(['Open in New Window', 'Open When Complete', 'Open Console']);
  await ui.press(page, 'Open When Complete');
  await ui.says(page, 'lab', /^installing .+, \d of 4/);
});

it('has a row for the recipe, with the step and how often it is tried', async () => {
  await ui.expand(page, 'lab');
  await ui.says(page, 'Installing Shaky', /^2 of 4 · second try$/);
  await ui.notification(page, /Completing lab: installing Shaky, 2 of 4, second try/);
  await page.waitForTimeout(500); // it fades in
  await world.screenshot('provisioning-1-running');
});

it('follows the log in a document, and keeps its end in sight', async () => {
  await ui.clickIcon(page, 'Installing Shaky', 'Show Provisioning Log');
  await logShows(page, /Trying.again.in.2.seconds/);
  expect([await tails('provision.log'), await tails('progress')]).toEqual([1, 2]); // the view, and who waits
  await inside('touch go');
  await ui.says(page, 'Installing Gadget', /^3 of 4$/);
  await logShows(page, /looking.for.the.other.half/);
  await inside('echo missing >answer');
  await logShows(page, /no.other.half/);
});

it('says which step failed, on both rows and to whoever waits', async () => {
  await ui.says(page, 'Gadget failed', /^recipe sample$/);
  await ui.says(page, 'lab', /^Gadget failed · (running|(\d+\.){3}\d+)$/);
  await ui.notification(
    page,
    /lab can be used, but is not complete: installing Gadget failed\. Its last words: no other half/,
  );
  expect(await ui.tooltip(page, 'Gadget failed', /Gadget/)).toMatch(
    /✓ base tools[\s\S]*✗ Gadget[\s\S]*no other half[\s\S]*– Last/,
  );
  await world.screenshot('provisioning-2-failed');
});

it('tries again by the icon on the row, and follows nothing while the view is hidden', async () => {
  await ui.clickIcon(page, 'Gadget failed', 'Retry Provisioning');
  await ui.says(page, 'Installing Gadget', /^3 of 4$/);
  await openView(page, 'Explorer');
  await vi.waitFor(async () => expect(await tails('progress')).toBe(0), 10_000);
  await openView(page, 'Pixels');
  await vi.waitFor(async () => expect(await tails('progress')).toBe(1), 10_000);
  await ui.says(page, 'Installing Gadget', /^3 of 4$/);
});

it('says that it goes on later while the sandbox is stopped, and goes on when that is started', async () => {
  await world.pixels('stop', 'lab', '--force');
  await ui.says(page, 'Recipe sample', /^goes on when it is started$/);
  await world.pixels('start', 'lab');
  await ui.says(page, 'Installing Gadget', /^3 of 4$/);
});

it('goes on by itself after the server was away, and says that it failed again', async () => {
  await world.proxy.close();
  await ui.row(page, 'Not connected').waitFor();
  await world.proxy.open();
  await ui.isGone(page, 'Not connected');
  await inside('echo missing >answer');
  await ui.row(page, 'Gadget failed').waitFor();
});

it('finishes by Retry once the reason is gone, and then opens the window', async () => {
  await ui.press(page, 'Retry');
  await inside('echo found >answer');
  await ui.says(page, 'Recipe sample', /^complete$/);
  await ui.says(page, 'lab', /^(running|(\d+\.){3}\d+)$/);
  expect(await ui.dialogText(page)).toContain('Add one line to ~/.ssh/config?');
  await ui.press(page, 'Add the Line');
  await vi.waitFor(() => {
    expect(world.windows().find(({ command }) => command === 'vscode.openFolder')?.uri).toContain('lab.pixels');
  }, 20_000);
  await logShows(page, /the.last.word/); // in sight again, and read from its beginning again
  await world.screenshot('provisioning-3-complete');
});

it('ends what follows the log when the document is closed, and has nothing left to follow of the recipe', async () => {
  await runCommand(page, 'View: Close All Editors');
  await vi.waitFor(async () => expect(await tails('provision.log')).toBe(0), 10_000);
  expect(await tails('progress')).toBe(0);
});

it('installs a recipe that a person chooses', async () => {
  await ui.choose(page, 'lab', 'Install Recipe…');
  // By its name: a line that the editor uses again keeps, unseen, what the wizard said of agents.
  await page
    .locator('.quick-input-list')
    .getByRole('option', { name: /^agent, Coding agents/ })
    .waitFor();
  await world.screenshot('provisioning-4-choose');
  await ui.pick(page, /sample/);
  await ui.says(page, 'Recipe sample', /^complete$/);
  const provision = JSON.parse(await world.pixels('status', 'lab', '--json')) as { provision: unknown };
  expect(provision.provision).toMatchObject({ recipe: 'sample', state: 'done' });
});

it('has no row for bases while there are none, and builds one in the background when it would have helped', async () => {
  writeQuickRecipe('one');
  const config = path.join(world.home, '.config/pixels/config.toml');
  fs.writeFileSync(config, fs.readFileSync(config, 'utf8').replace('recipe = "sample"', 'recipe = "quick"'));
  expect(await ui.labels(page)).not.toContain('Bases');
  await create('one', /quick, default · installed in the background/);
  await ui.notification(page, /one is ready\. Installing its recipe/);
  await ui.expand(page, 'Bases');
  await ui.says(page, 'quick', /^installing Quick tool, 1 of 1$/);
  await page.locator('.statusbar-item', { hasText: 'Building the base quick: installing' }).waitFor();
  await world.screenshot('bases-1-building');
  await ui.says(page, 'quick', /^complete · just now$/);
});

it('clones the base for the next one, which has nothing left to install', async () => {
  await create('two', /quick, default · complete at once/, 'bases-2-choose');
  expect(await ui.notification(page, /two is ready/)).toBe('two is ready.');
  await ui.expand(page, 'two');
  await ui.row(page, 'Recipe quick').first().waitFor();
  const { provision } = JSON.parse(await world.pixels('status', 'two', '--json')) as { provision: unknown };
  expect(provision).toMatchObject({ recipe: 'quick', state: 'done' });
  const made = (name: string) => world.pixels('exec', name, '--', 'cat', '/etc/quick');
  expect(await made('two')).not.toBe(await made('one'));
});

it('says that a base is stale, and builds it anew', async () => {
  writeQuickRecipe('another one');
  await page.waitForTimeout(3_000); // it is not asked each time
  await ui.palette(page, 'Refresh');
  await ui.says(page, 'quick', /^stale · /);
  await world.screenshot('bases-3-stale');
  await ui.clickIcon(page, 'quick', 'Rebuild Base');
  await ui.notification(page, /Building the base quick: installing Quick tool, 1 of 1/);
  await ui.notification(page, /The base quick is complete/);
  await ui.says(page, 'quick', /^complete · just now$/);
});

it('deletes a base after asking, and hides the row above it with the last one', async () => {
  await ui.choose(page, 'quick', 'Delete Base');
  expect(await ui.dialogText(page)).toMatch(/Delete the base quick\?.*Sandboxes that were cloned from it stay/);
  await ui.press(page, 'Delete');
  await ui.isGone(page, 'Bases');
  expect((await instances()).filter((name) => name !== 'px-lab')).toEqual(['px-one', 'px-two']);
});

it('leaves nothing of a build that is cancelled, or whose window goes away', async () => {
  for (const end of [cancelOnRow, reloadWindow]) {
    await ui.palette(page, 'Build Base…');
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'quick' }).waitFor();
    await ui.pick(page, /quick/);
    await ui.expand(page, 'Bases');
    await ui.says(page, 'quick', /^installing Quick tool, 1 of 1$/);
    await end();
    await vi.waitFor(async () => expect(await instances()).not.toContain('px-base-quick'), 15_000);
    await ui.isGone(page, 'Bases');
  }
});

async function create(name: string, source: RegExp, screenshot?: string): Promise<void> {
  await ui.palette(page, 'Create Sandbox');
  await ui.answer(page, /1\/5/, name);
  const choice = page.locator('.quick-input-list').getByRole('option', { name: source }).first();
  await choice.waitFor();
  if (screenshot !== undefined) await world.screenshot(screenshot);
  await choice.click();
  await ui.answer(page, /3\/5/, '');
  await ui.answer(page, /4\/5/, '');
  await ui.chooseEgress(page, /default/);
}

function writeQuickRecipe(word: string): void {
  const script = `echo ${word}; sleep 3; cat /proc/sys/kernel/random/uuid >/etc/quick`;
  const step = `[[steps]]\nid = "quick"\ntitle = "Quick tool"\nscript = "${script}"\n`;
  fs.writeFileSync(path.join(world.home, '.config/pixels/recipes/quick.toml'), `title = "Quick"\n${step}`);
}

async function cancelOnRow(): Promise<void> {
  await ui.clickIcon(page, 'quick', 'Cancel Base Build');
}

async function reloadWindow(): Promise<void> {
  await runCommand(page, 'Developer: Reload Window');
  await vi.waitFor(async () => expect(await instances()).not.toContain('px-base-quick'), 15_000);
  await page.waitForSelector('.monaco-workbench .part.statusbar', { timeout: 60_000 });
  await openView(page, 'Pixels');
  await ui.row(page, 'two').waitFor();
}

async function instances(): Promise<string[]> {
  const all = (await world.project.raw.must('GET', '/1.0/instances?recursion=1')) as { name: string }[];
  return all.map(({ name }) => name).sort();
}

/** How many commands follow this file in the sandbox. */
async function tails(file: string): Promise<number> {
  return Number(await inside(`ps -eo args | grep -c "^tail .*/run/pixels/${file}" || true`));
}

function inside(script: string): Promise<string> {
  return world.pixels('exec', 'lab', '--', 'sh', '-c', script);
}

/** Waits until a line of the log can be seen: what is not in sight is not in the page. */
async function logShows(page: Page, text: RegExp): Promise<void> {
  await page.locator('.editor-instance .view-line', { hasText: text }).first().waitFor({ timeout: 30_000 });
}
