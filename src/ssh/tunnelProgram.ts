import fs from 'node:fs/promises';
import path from 'node:path';
import { replaceFile, replaceIfChanged } from './atomicFile';
import { isStale, isThere } from './presence';

/** In the directory of the build: the tunnel's modules, a line each, what Node starts first. esbuild.mjs writes it. */
const LIST = 'tunnel.modules';

/**
 * Copies the tunnel's modules from the build to a directory of ours, so that ssh finds them when the extension has been updated
 * or is gone. What Node starts comes last, when all that it imports is there; the others have a hash of their content in their
 * names, and are written once.
 * @returns the path of what Node starts.
 */
export async function installTunnel(build: string, directory: string): Promise<string> {
  const modules = (await fs.readFile(path.join(build, LIST), 'utf8')).split('\n').filter((line) => line !== '');
  const [main = '', ...others] = modules;
  const file = path.join(directory, main);
  const needed = ['package.json', ...modules];
  for (const folder of new Set(needed.map((each) => path.dirname(path.join(directory, each)))))
    await fs.mkdir(folder, { recursive: true, mode: 0o700 });
  await replaceIfChanged(path.join(directory, 'package.json'), '{ "type": "commonjs" }\n', { mode: 0o600 });
  await Promise.all(others.map((each) => copyOnce(path.join(build, each), path.join(directory, each))));
  const isNew = await replaceIfChanged(file, await fs.readFile(path.join(build, main)), { mode: 0o600 });
  if (!isNew && (await isStale(file))) await removeOthers(directory, new Set(needed));
  return file;
}

async function copyOnce(from: string, to: string): Promise<void> {
  if (!(await isThere(to))) await replaceFile(to, await fs.readFile(from), { mode: 0o600 });
}

async function removeOthers(directory: string, needed: ReadonlySet<string>): Promise<void> {
  for (const found of await fs.readdir(directory, { recursive: true, withFileTypes: true })) {
    const file = path.join(found.parentPath, found.name);
    if (found.isDirectory() || needed.has(path.relative(directory, file).replaceAll(path.sep, '/'))) continue;
    if (await isStale(file)) await fs.rm(file, { force: true });
  }
}
