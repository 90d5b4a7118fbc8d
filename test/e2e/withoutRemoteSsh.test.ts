import { afterAll, beforeAll, expect, it } from 'vitest';
import * as ui from './workbench';
import { makeWorld, type World } from './world';

let world: World;

beforeAll(async () => {
  world = await makeWorld({ remoteSsh: false });
  const { raw, image } = world.project;
  await raw.must('POST', '/1.0/instances', { name: 'px-plain', source: { type: 'image', alias: image } });
  await raw.must('PUT', '/1.0/instances/px-plain/state', { action: 'start' });
});

afterAll(async () => {
  await (world as World | undefined)?.close();
});

it('offers other ways in where no extension can open a window over SSH, and the terminal works', async () => {
  const { page } = world;
  await ui.row(page, 'plain').waitFor();
  await ui.choose(page, 'plain', 'Open in New Window');
  await ui.notification(page, /needs an extension for remote development over SSH/);
  const buttons = page.locator('.notifications-toasts .monaco-button');
  expect((await buttons.allInnerTexts()).sort()).toEqual(['Copy SSH Command', 'Install', 'Open Terminal Instead']);
  await world.screenshot('17-without-remote-ssh');
  await ui.press(page, 'Open Terminal Instead');
  await ui.terminalShows(page, /px-plain/);
});
