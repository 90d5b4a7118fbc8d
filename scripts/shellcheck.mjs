/** Runs shellcheck over every shell script of the repository: the files named .sh, and those whose first line says so. */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import path from 'node:path';
import { ensurePackages } from './lib/packages.mjs';
import { commandPath, main, repository, run } from './lib/steps.mjs';

const skipped = new Set(['.git', 'node_modules', 'dist', 'artifacts']);

await main(async () => {
  if (!commandPath('shellcheck')) await ensurePackages(['shellcheck'], 'checking shell scripts');
  await run('shellcheck', shellScripts(repository), { cwd: repository, show: true });
});

function shellScripts(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(directory, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : shellScripts(file);
    const isScript =
      entry.name.endsWith('.sh') || (!entry.name.includes('.') && /^#!.*\b(ba|da)?sh\b/.test(firstBytes(file)));
    return entry.isFile() && isScript ? [file] : [];
  });
}

function firstBytes(file) {
  const buffer = Buffer.alloc(40);
  const descriptor = openSync(file, 'r');
  readSync(descriptor, buffer);
  closeSync(descriptor);
  return buffer.toString('latin1').split('\n')[0];
}
