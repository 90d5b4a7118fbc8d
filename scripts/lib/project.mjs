/** This repository's own build. */
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { repository, run, step } from './steps.mjs';

export const vsix = path.join(repository, 'dist/pixels.vsix');
export const cli = path.join(repository, 'dist/cli.js');

/** Runs `npm ci` where node_modules is missing or older than the lock file. */
export async function ensureDependencies() {
  const installed = path.join(repository, 'node_modules/.package-lock.json'); // npm writes it last
  const lock = path.join(repository, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  await step('npm ci', () => npm('ci', '--no-audit', '--no-fund', '--loglevel=error'));
}

/** Builds the bundles and the .vsix. */
export async function packageExtension() {
  await step('Extension', async (note) => {
    await npm('run', 'package');
    note(`${path.relative(repository, vsix)}, ${Math.round(statSync(vsix).size / 1024)} KB`);
  });
}

const npm = (...args) => run('npm', args, { cwd: repository });
