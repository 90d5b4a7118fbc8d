import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watchConfig } from '../../../src/config';
import type { Closable } from '../../../src/sandbox/host';

let home: string;
let file: string;
let watch: Closable;
const seen: string[] = [];

beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'pixels-watch-'));
  file = path.join(home, '.config', 'pixels', 'config.toml');
  seen.length = 0;
});
afterEach(() => {
  watch.close();
  fs.rmSync(home, { recursive: true });
});

function start(): void {
  watch = watchConfig(
    { env: { HOME: home } },
    {
      onDidChange: ({ config }) => void seen.push(config.defaults.image),
      onDidFail: (error) => void seen.push(`failed: ${error.message}`),
    },
  );
}

function write(image: string, to = file): void {
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.writeFileSync(to, `[defaults]\nimage = "${image}"\n`);
}

const sees = (...images: string[]) => vi.waitFor(() => expect(seen).toEqual(images), { timeout: 3000, interval: 20 });

it('reports a file that is made in a directory that did not exist, and one that goes away', async () => {
  start();
  write('one');
  await sees('one');
  fs.rmSync(path.dirname(file), { recursive: true });
  await sees('one', 'debian/12');
  write('two');
  await sees('one', 'debian/12', 'two');
});

it('reports a file that an editor replaces, again and again', async () => {
  write('zero');
  start();
  for (const image of ['one', 'two', 'three']) {
    write(image, `${file}~`);
    fs.renameSync(`${file}~`, file);
    await vi.waitFor(() => expect(seen.at(-1)).toBe(image), { timeout: 3000, interval: 20 });
  }
  expect(seen).toEqual(['one', 'two', 'three']);
});

it('reports a broken edit as a failure and goes on watching', async () => {
  write('good');
  start();
  fs.writeFileSync(file, '[defaults]\nimage = 7\n');
  await vi.waitFor(() => expect(seen[0]).toContain(':2: defaults.image must be a text'), 3000);
  write('mended');
  await vi.waitFor(() => expect(seen[1]).toBe('mended'), 3000);
});

it('follows a link to a file elsewhere', async () => {
  const elsewhere = path.join(home, 'dotfiles', 'pixels.toml');
  write('zero', elsewhere);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.symlinkSync(elsewhere, file);
  start();
  write('one', elsewhere);
  await sees('one');
});

it('says nothing about other files, about a touch without a change, and after it was closed', async () => {
  write('same');
  start();
  write('same');
  write('other', path.join(path.dirname(file), 'other.toml'));
  await sleep(300);
  watch.close();
  write('late');
  await sleep(300);
  expect(seen).toEqual([]);
});

it('puts a burst of writes into one report', async () => {
  start();
  for (const image of ['a', 'b', 'c', 'd']) {
    write(image);
    await sleep(10);
  }
  await sees('d');
});
