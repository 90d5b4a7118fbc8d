/**
 * npm run truenas-server [-- --profile 25.10.5]     a TrueNAS to try Pixels against: the test server of the suites (profiles
 *                                                   25.04.2, 25.10.5, 26.0) in front of a private Incus daemon; ends at Ctrl-C
 *
 * It needs root, and what it makes goes when it ends: containers, checkpoints and the daemon, if it was not running before.
 * The daemon's directory, /var/lib/pixels-nas, stays with its images for the next time.
 */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { defaultAlias, ensureImage } from './lib/image.mjs';
import { find, request } from './lib/incus-api.mjs';
import { daemonPackages } from './lib/incusd.mjs';
import { ensurePackages } from './lib/packages.mjs';
import { startPrivateIncus } from './lib/private-incus.mjs';
import { ensureDependencies } from './lib/project.mjs';
import { cacheDir, interrupted, main, repository, say, step } from './lib/steps.mjs';

const daemonName = 'nas';
const project = 'truenas';
const profiles = ['25.04.2', '25.10.5', '26.0'];

await main(async (args) => {
  const profile = profileOf(args);
  if (process.getuid() !== 0) throw new Error('The TrueNAS test server needs root: sudo npm run truenas-server');
  await ensureDependencies();
  await ensurePackages([...daemonPackages, 'openssl'], 'a private Incus daemon');
  const daemon = await step('Private Incus', async (note) => {
    const started = await startPrivateIncus(daemonName);
    note(started.reused ? 'running already' : started.base);
    return started;
  });
  try {
    await step(`Image ${defaultAlias()}`, async (note) => note(await ensureImage(daemon.socket)));
    await makeProject(daemon.socket);
    await serve(daemon, profile);
  } finally {
    await removeProject(daemon.socket).catch((error) => say(error.message));
    if (!daemon.reused) await daemon.stop();
  }
});

function profileOf(args) {
  const { values } = parseArgs({ args, options: { profile: { type: 'string', default: '25.10.5' } } });
  if (profiles.includes(values.profile)) return values.profile;
  throw new Error(`There is no profile ${values.profile}, only ${profiles.join(', ')}`);
}

async function serve({ socket, base }, profile) {
  const { startTrueNasServer } = await step('Test server built', bundled);
  const server = await startTrueNasServer({ socket, project, incusPool: 'default', profile });
  const files = { key: `${base}/truenas-api-key`, certificate: `${base}/truenas-certificate.pem` };
  writeFileSync(files.key, server.apiKey, { mode: 0o600 });
  writeFileSync(files.certificate, server.certificate);
  try {
    say(`
  TrueNAS      ${profile}
  host         ${server.host}
  port         ${server.port}   (without TLS: ${server.plainPort}, where a key is revoked as soon as it is used)
  fingerprint  ${server.fingerprint}
  certificate  ${files.certificate}
  user         ${server.username}
  API key      in ${files.key}
  image        ${defaultAlias()}

Ctrl-C ends it and deletes its containers.`);
    await new Promise((resolve) => interrupted.addEventListener('abort', resolve, { once: true }));
  } finally {
    await removeInstances(socket); // so that the server finds nothing to keep
    await server.close();
    for (const file of Object.values(files)) rmSync(file, { force: true });
  }
}

/** The server's TypeScript as one module. Its stand-in for `zfs` is a program of its own and has to be next to it. */
async function bundled() {
  const { build } = await import('esbuild');
  const directory = path.join(cacheDir, 'truenas-server');
  const outfile = path.join(directory, 'server.mjs');
  mkdirSync(directory, { recursive: true });
  await build({
    entryPoints: [path.join(repository, 'test/truenas-server/index.ts')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['bufferutil', 'utf-8-validate'],
    banner: { js: "import{createRequire as requireFrom}from'node:module';const require=requireFrom(import.meta.url);" },
    logLevel: 'warning',
  });
  copyFileSync(path.join(repository, 'test/truenas-server/zfs/standIn.pl'), path.join(directory, 'standIn.pl'));
  return import(pathToFileURL(outfile));
}

async function makeProject(socket) {
  await removeProject(socket);
  const config = { 'features.images': 'false', 'features.profiles': 'false' };
  await request(socket, 'POST', '/1.0/projects', { name: project, config });
}

async function removeProject(socket) {
  if (!(await find(socket, `/1.0/projects/${project}`))) return;
  await removeInstances(socket);
  await request(socket, 'DELETE', `/1.0/projects/${project}`);
}

async function removeInstances(socket) {
  const instances = (await request(socket, 'GET', `/1.0/instances?recursion=1&project=${project}`)) ?? [];
  for (const { name, status } of instances) {
    const at = `/1.0/instances/${name}`;
    const stop = { action: 'stop', force: true, timeout: 30 };
    if (status !== 'Stopped') await request(socket, 'PUT', `${at}/state?project=${project}`, stop);
    await request(socket, 'DELETE', `${at}?project=${project}`);
  }
}
