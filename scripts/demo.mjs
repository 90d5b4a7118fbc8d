/**
 * npm run demo                   from nothing to a sandbox in VS Code, on Debian 12+ or Ubuntu 24.04+
 * npm run demo -- --headless     the same in a headless browser: writes demo.png and ends
 * npm run demo -- --remove       takes away what the demo added to this machine
 *
 * It can be run again at any time: each step looks at what is there first.
 */
import { existsSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { removeDemo } from './demo-remove.mjs';
import { demoDirectory, demoRecord } from './lib/demo-record.mjs';
import { createProfile, installExtension, startEditor } from './lib/editor-host.mjs';
import { ensureChromium, ensureEditor } from './lib/editor.mjs';
import { defaultAlias, ensureImage } from './lib/image.mjs';
import { ensureMachineIncus } from './lib/machine-incus.mjs';
import { distribution, onSystemChange } from './lib/packages.mjs';
import { cli, ensureDependencies, packageExtension, vsix } from './lib/project.mjs';
import { commandPath, interrupted, main, repository, run, say, seconds, step } from './lib/steps.mjs';
import { expand, launchBrowser, openView, openWorkbench, treeRow } from './lib/workbench.mjs';

const sandbox = 'demo';
const checkpoint = 'ready';
const sshDirectory = path.join(homedir(), '.ssh/pixels');
const extensionId = 'pixels.pixels-sandboxes';

await main(async (args) => {
  const unknown = args.find((argument) => !['--headless', '--remove'].includes(argument));
  if (unknown) throw new Error(`Unknown argument ${unknown}. Usage: npm run demo [-- --headless | --remove]`);
  const record = demoRecord();
  if (args.includes('--remove')) return removeDemo(record);

  onSystemChange(record.add);
  const begun = performance.now();
  distribution(); // says at once when this machine cannot run it
  await ensureDependencies();
  const socket = await ensureMachineIncus(record);
  const image = defaultAlias();
  await step(`Image ${image}`, async (note) => {
    note(await ensureImage(socket, image, (fingerprint) => record.add({ image: fingerprint })));
  });
  await packageExtension();
  const environment = {
    PIXELS_BACKEND: 'incus',
    PIXELS_INCUS_SOCKET: socket,
    PIXELS_DEFAULTS_IMAGE: image,
    PIXELS_PROVISION_DEVTOOLS: 'false', // a look takes two minutes, not four, and leaves no base behind
  };
  await ensureSandbox(environment, record);
  const ready = () => say(`\nReady after ${seconds(performance.now() - begun)}.`);

  if (args.includes('--headless')) await photograph(environment);
  else if (canShowDesktop()) await openDesktop(record).then(ready);
  else await serve(environment, ready);
});

/** The sandbox and its checkpoint, made by the product's own command. */
async function ensureSandbox(env, record) {
  const pixels = (...args) => run(process.execPath, [cli, ...args], { env });
  await step(`Sandbox ${sandbox}`, async (note) => {
    const sandboxes = JSON.parse(await pixels('list', '--json'));
    if (sandboxes.some(({ name }) => name === sandbox)) return note('already there');
    record.add({ sandbox }); // before: a create that is killed may leave a half
    if (!existsSync(sshDirectory)) record.add({ sshDirectory });
    await pixels('create', sandbox);
  });
  await step(`Checkpoint ${checkpoint}`, async (note) => {
    const checkpoints = JSON.parse(await pixels('checkpoint', 'list', sandbox, '--json'));
    if (checkpoints.some(({ label }) => label === checkpoint)) return note('already there');
    await pixels('checkpoint', 'create', sandbox, '--label', checkpoint);
  });
}

/** As root, the desktop VS Code refuses to start; without a display it cannot. */
function canShowDesktop() {
  const display = process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
  return Boolean(display) && process.getuid() !== 0 && commandPath('code') !== undefined;
}

async function openDesktop(record) {
  await step('Extension installed in VS Code', async () => {
    const installed = await run('code', ['--list-extensions']);
    if (!installed.split('\n').includes(extensionId)) record.add({ desktopExtension: extensionId });
    await run('code', ['--install-extension', vsix, '--force']);
  });
  await step('VS Code', () => run('code', ['--new-window']));
}

/** `home`: ssh reads ~/.ssh of the real HOME, so that is where the extension's SSH files must go. */
async function startBrowserEditor(env) {
  await ensureEditor();
  const directory = path.join(demoDirectory, 'editor');
  const profile = createProfile(directory, { home: process.env.HOME });
  await step('Extension installed in VS Code', () => installExtension(profile, vsix));
  return step('VS Code', async (note) => {
    const editor = await startEditor(profile, { env });
    note(editor.authority);
    return editor;
  });
}

async function serve(env, ready) {
  const editor = await startBrowserEditor(env);
  try {
    ready();
    say(`\n  VS Code    ${editor.url}\n  password   ${editor.profile.password}\n`);
    say('The view "Pixels" is in the activity bar. Ctrl-C ends VS Code; the sandbox stays.');
    say('To take everything away: npm run demo -- --remove');
    await new Promise((resolve) => interrupted.addEventListener('abort', resolve, { once: true }));
  } finally {
    await editor.stop();
  }
}

/** What a person does first, in a headless browser: open the view, see the sandbox, open it, see the checkpoint. */
async function photograph(env) {
  const chromium = await ensureChromium();
  const editor = await startBrowserEditor(env);
  const browser = await launchBrowser(chromium);
  const picture = path.join(repository, 'demo.png');
  rmSync(picture, { force: true });
  try {
    const page = await step('Workbench', () => openWorkbench(browser, editor));
    await step(`Sandbox and checkpoint in the view`, async () => {
      try {
        await openView(page, 'Pixels');
        await expand(page, await treeRow(page, sandbox));
        await treeRow(page, checkpoint);
      } finally {
        await page.screenshot({ path: picture });
      }
    });
  } finally {
    await browser.close();
    await editor.stop();
    say(`\nScreenshot: ${picture}`);
  }
}
