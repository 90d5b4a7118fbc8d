import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Pixels } from '../../../src/app/pixels';
import type { Config } from '../../../src/config';
import type { PixelsError } from '../../../src/sandbox/errors';
import { HiddenValues } from '../../../src/sandbox/hiddenValues';

vi.mock('vscode', () => import('./fakeVscode'));
const opened = vi.hoisted(() => [] as { config: Config; closed: boolean }[]);
vi.mock('../../../src/app/pixels', () => ({
  openPixels: ({ config }: { config: Config }) => {
    const pixels = { config, closed: false, close: () => (pixels.closed = true) };
    opened.push(pixels);
    return Promise.resolve(pixels);
  },
}));

const { CurrentPixels } = await import('../../../src/vscode/currentPixels');

const log = { info: () => undefined, warn: () => undefined } as never;
let home: string;
let current: InstanceType<typeof CurrentPixels>;

function writeConfig(text: string): void {
  fs.writeFileSync(path.join(home, 'pixels', 'config.toml'), text);
}

beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'pixels-current-'));
  fs.mkdirSync(path.join(home, 'pixels'));
  vi.stubEnv('XDG_CONFIG_HOME', home);
  opened.length = 0;
  current = new CurrentPixels(log, new HiddenValues(), {} as never, '/dist');
});

afterEach(() => {
  current.dispose();
  vi.unstubAllEnvs();
  fs.rmSync(home, { recursive: true });
});

it('opens at the first use, and once', async () => {
  expect(current.value).toBeUndefined();
  await Promise.all([current.use(() => Promise.resolve()), current.use(() => Promise.resolve())]);
  expect(opened).toHaveLength(1);
});

it('is replaced when the file changes, and the one before is closed when nobody uses it any more', async () => {
  const replaced = new Promise<Pixels>((resolve) =>
    current.onDidChange((pixels) => opened.length > 1 && resolve(pixels)),
  );
  let finish: () => void = () => undefined;
  const using = current.use(() => new Promise<void>((resolve) => (finish = resolve)));
  await vi.waitFor(() => expect(opened).toHaveLength(1));
  await new Promise((resolve) => setTimeout(resolve, 50));
  writeConfig('[incus]\nproject = "agents"\n');
  expect((await replaced).config.incus.project).toBe('agents');
  expect(opened[0]!.closed).toBe(false);
  finish();
  await using;
  expect(opened[0]!.closed).toBe(true);
  expect(opened[1]!.closed).toBe(false);
});

it('keeps the one in use when an edit breaks the file, and says so', async () => {
  writeConfig('[incus]\nproject = "agents"\n');
  await current.use(() => Promise.resolve());
  const rejected = new Promise<PixelsError>((resolve) => current.onDidReject(resolve));
  await new Promise((resolve) => setTimeout(resolve, 50));
  writeConfig('[incus\n');
  expect((await rejected).kind).toBe('config');
  expect(current.value?.config.incus.project).toBe('agents');
  expect(opened).toHaveLength(1);
});

it('can be opened after the file has been mended', async () => {
  writeConfig('[incus\n');
  await expect(current.use(() => Promise.resolve())).rejects.toMatchObject({ kind: 'config' });
  writeConfig('');
  await current.use(() => Promise.resolve());
  expect(opened).toHaveLength(1);
});
