import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import {
  createProfile,
  editorEnvironment,
  installExtension,
  startEditor,
  type Editor,
  type Profile,
} from '../../scripts/lib/editor-host.mjs';
import { launchBrowser, openView, openWorkbench } from '../../scripts/lib/workbench.mjs';
import { makeTestProject, type TestProject } from '../support/testProject';
import { CountingProxy } from './countingProxy';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');

/** All that is there before a window is opened. */
export interface Surroundings {
  readonly project: TestProject;
  readonly proxy: CountingProxy;
  /** HOME of the editor, which the extension takes for the person's. */
  readonly home: string;
  readonly profile: Profile;
  readonly browser: Browser;
  readonly editor: Editor;
  /** What the editor's processes have in their environment. */
  readonly env: Record<string, string | undefined>;
  /** What the stand-in for Remote-SSH was asked, oldest first. */
  windows(): StandInLine[];
  /** Runs the `pixels` command as a person in a terminal of the editor does; what it printed. */
  pixels(...args: string[]): Promise<string>;
  /** Logs in with the real ssh and the files that the extension wrote; what the command printed. */
  ssh(alias: string, ...command: string[]): Promise<string>;
  close(): Promise<void>;
}

export interface StandInLine {
  /** An editor's command, or `resolve`: the host of a window is to be connected to. */
  readonly command: string;
  readonly uri?: string;
  readonly options?: { readonly forceNewWindow?: boolean };
  /** With `resolve`: what `ssh -G` said of the host at that moment. */
  readonly ssh?: string;
  /** With `resolve` of a sandbox: what `printenv $STAND_IN_PRINTENV` printed there, over ssh. */
  readonly printed?: string;
  /** With `resolve`: the measuring points of the extension host. */
  readonly marks?: readonly Mark[];
}

export interface Mark {
  readonly name: string;
  /** Milliseconds since the process started. */
  readonly startTime: number;
}

export interface World extends Surroundings {
  readonly page: Page;
  /** Where a new workbench page can be opened. */
  open(): Promise<Page>;
  screenshot(name: string): Promise<void>;
}

export interface WorldOptions {
  /** With the stand-in for Remote-SSH, which is the default. */
  readonly remoteSsh?: boolean;
  /** A recipe for new sandboxes, as the text of its file. Without one they get none. */
  readonly recipe?: string;
}

/** A real VS Code with the built extension, in front of a real daemon, with one window that shows the sandboxes. */
export async function makeWorld(options?: WorldOptions): Promise<World> {
  const surroundings = await makeSurroundings(options);
  const open = async (): Promise<Page> => {
    const page = await openWorkbench(surroundings.browser, surroundings.editor, {
      folder: surroundings.profile.workspace,
    });
    await showSandboxes(page);
    return page;
  };
  try {
    const page = await open();
    return { ...surroundings, page, open, screenshot: (name) => screenshot(page, name) };
  } catch (error) {
    await surroundings.close();
    throw error;
  }
}

/** The same without a window: VS Code, in a profile and a home of its own, and a browser to open windows in. */
export async function makeSurroundings({ remoteSsh = true, recipe }: WorldOptions = {}): Promise<Surroundings> {
  const { PIXELS_TEST_CHROMIUM: chromium, PIXELS_TEST_EDITOR: editorDirectory } = process.env;
  const vsix = path.join(root, 'dist/pixels.vsix');
  if (chromium === undefined || editorDirectory === undefined || !fs.existsSync(vsix)) {
    throw new Error('These tests need a VS Code and the built extension: run them by "npm test -- e2e".');
  }
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'pixels-e2e-'));
  const project = await makeTestProject('pixels-e2e');
  const proxy = new CountingProxy(path.join(directory, 'incus.socket'), project.socket);
  await proxy.open();

  // Terminals as elements of the page, so that their text can be read.
  const settings = { 'terminal.integrated.gpuAcceleration': 'off' };
  const profile = createProfile(directory, { editor: editorDirectory, settings });
  const { home } = profile;
  writeConfig(home, { socket: proxy.path, project: project.project, image: project.image }, recipe);
  if (remoteSsh) {
    const standIn = path.join(directory, 'remote-ssh.vsix');
    const sources = path.join(root, 'test/e2e/fake-remote-ssh');
    await run('npx', ['vsce', 'package', '--no-dependencies', '-o', standIn], { cwd: sources });
    await installExtension(profile, standIn);
  }
  await installExtension(profile, vsix);
  const standInLog = path.join(directory, 'windows.jsonl');
  const added = { STAND_IN_LOG: standInLog, PIXELS_TEST_RUN: process.env['PIXELS_TEST_RUN'] };
  const env = { ...process.env, ...editorEnvironment(profile), ...added };
  let editor: Editor | undefined;
  let browser: Browser | undefined;
  const close = async (): Promise<void> => {
    await browser?.close();
    await editor?.stop();
    await proxy.close();
    await project.remove();
    fs.rmSync(directory, { recursive: true, force: true });
  };
  try {
    editor = await startEditor(profile, { env: added });
    browser = await launchBrowser(chromium);
    return {
      project,
      proxy,
      home,
      profile,
      browser,
      editor,
      env,
      windows: () => linesOf(standInLog).map((line) => JSON.parse(line) as StandInLine),
      pixels: async (...args) => {
        const cli = path.join(root, 'dist/cli.js');
        const { stdout } = await run(process.execPath, [cli, ...args], { env });
        return stdout;
      },
      ssh: async (alias, ...command) => {
        const config = path.join(home, '.ssh/pixels/config');
        const { stdout } = await run('ssh', ['-F', config, '-o', 'BatchMode=yes', alias, '--', ...command], {
          timeout: 30_000,
        });
        return stdout;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens the view; again when the workbench, still restoring itself, has put another one in its place. */
async function showSandboxes(page: Page): Promise<void> {
  const title = page.locator('.composite.title', { hasText: 'Pixels' });
  for (let tries = 0; tries < 5 && !(await title.isVisible()); tries++) {
    await openView(page, 'Pixels');
    await title.waitFor({ timeout: 3000 }).catch(() => undefined);
    await page.waitForTimeout(500);
  }
}

/** Into the artifacts, as PNG. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const directory = path.join(process.env['PIXELS_TEST_ARTIFACTS'] ?? path.join(root, 'artifacts'), 'screenshots');
  fs.mkdirSync(directory, { recursive: true });
  await page.screenshot({ path: path.join(directory, `${name}.png`) });
}

type ConfigKey = 'socket' | 'project' | 'image';

function writeConfig(
  home: string,
  { socket, project, image }: Record<ConfigKey, string>,
  recipe: string | undefined,
): void {
  const directory = path.join(home, '.config/pixels');
  fs.mkdirSync(path.join(directory, 'recipes'), { recursive: true });
  if (recipe !== undefined) fs.writeFileSync(path.join(directory, 'recipes/sample.toml'), recipe);
  const provision = `devtools = ${recipe !== undefined}\nrecipe = "sample"\n`;
  const incus = `socket = "${socket}"\nproject = "${project}"\n`;
  const text = `[incus]\n${incus}\n[defaults]\nimage = "${image}"\n\n[provision]\n${provision}`;
  fs.writeFileSync(path.join(directory, 'config.toml'), text);
}

function linesOf(file: string): string[] {
  if (!fs.existsSync(file)) return [];
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}
