/** Takes away what demo.mjs added: what its record names and nothing else, last first. */
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { find, reachability, request } from './lib/incus-api.mjs';
import { eraseDirectory } from './lib/incusd.mjs';
import { machineSocket, stopMachineDaemon } from './lib/machine-incus.mjs';
import { backportsFile, refreshIndexes, removePackages } from './lib/packages.mjs';
import { cli } from './lib/project.mjs';
import { cacheDir, repository, run, say, step } from './lib/steps.mjs';

export async function removeDemo(record) {
  if (!record.exists) say('This machine has no record of a demo; only the caches are removed.');
  const socket = machineSocket();
  const answers = (await reachability(socket)) === null;
  if (answers) await removeSandbox(socket, record);
  if (record.get('desktopExtension')) {
    await step('Extension removed from VS Code', () =>
      run('code', ['--uninstall-extension', record.get('desktopExtension')]),
    );
  }
  if (existsSync(record.get('sshDirectory') ?? '') && existsSync(cli)) {
    await step('SSH entries removed', () => run(process.execPath, [cli, 'ssh-config', '--remove', '--yes']));
    record.forget('sshDirectory');
  }
  // Incus goes only when nothing of anybody else is in it.
  const others = answers && record.get('pool') ? await instances(socket) : [];
  if (others.length > 0) {
    say(`\nIncus and its packages stay, since it holds ${others.join(', ')}.`);
    say('Destroy them and run this again, or keep Incus and delete this record of what the demo added:');
    say(`  ${record.file}`);
    process.exitCode = 1;
    return;
  }
  if (answers) await removeConfiguration(socket, record);
  await removeSystem(record, answers && (await instances(socket)).length === 0);
  await step('VS Code for the browser, caches and screenshot removed', async () => {
    rmSync(path.join(repository, 'demo.png'), { force: true });
    rmSync(cacheDir, { recursive: true, force: true });
    if (!process.exitCode) record.erase();
  });
  say('\nWhat npm made in this checkout (node_modules, dist) stays.');
}

async function removeSandbox(socket, record) {
  const name = record.get('sandbox') && `px-${record.get('sandbox')}`;
  if (!name || !(await find(socket, `/1.0/instances/${name}`))) return;
  await step(`Sandbox ${record.get('sandbox')} removed`, async () => {
    const { status } = await request(socket, 'GET', `/1.0/instances/${name}/state`);
    const stop = { action: 'stop', force: true, timeout: 30 };
    if (status !== 'Stopped') await request(socket, 'PUT', `/1.0/instances/${name}/state`, stop);
    await request(socket, 'DELETE', `/1.0/instances/${name}`);
    record.forget('sandbox');
  });
}

async function instances(socket) {
  const all = (await request(socket, 'GET', '/1.0/instances?recursion=1&all-projects=true')) ?? [];
  return all.map(({ name }) => name);
}

/** The image, and what `initialise()` made. */
async function removeConfiguration(socket, record) {
  const remove = async (what, key, path) => {
    if (!record.get(key)) return;
    await step(`${what} removed`, async () => {
      if (await find(socket, path)) await request(socket, 'DELETE', path);
      record.forget(key);
    });
  };
  await remove('Image', 'image', `/1.0/images/${record.get('image')}`);
  if (record.get('profileDevices')) {
    await step('Devices of the default profile removed', async () => {
      const profile = await request(socket, 'GET', '/1.0/profiles/default');
      for (const device of record.get('profileDevices')) delete profile.devices[device];
      await request(socket, 'PUT', '/1.0/profiles/default', profile);
      record.forget('profileDevices');
    });
  }
  await remove(`Network ${record.get('network')}`, 'network', `/1.0/networks/${record.get('network')}`);
  if (record.get('pool')) {
    // Images that Incus fetched for a create and kept are in the pool too, and are nobody's own.
    const images = (await request(socket, 'GET', '/1.0/images?recursion=1')) ?? [];
    for (const { fingerprint, cached } of images) {
      if (cached) await request(socket, 'DELETE', `/1.0/images/${fingerprint}`);
    }
  }
  await remove(`Storage pool ${record.get('pool')}`, 'pool', `/1.0/storage-pools/${record.get('pool')}`);
}

async function removeSystem(record, isIdle) {
  const packages = record.get('packages') ?? [];
  const daemonIsOurs = packages.some((name) => name === 'incus-base' || name === 'incus');
  if (record.get('daemon') && (daemonIsOurs || isIdle)) await step('Incus daemon stopped', stopMachineDaemon);
  if (packages.length > 0) {
    say(`  Removing system packages: ${packages.join(' ')}`);
    await step('Packages removed', async (note) => {
      const needing = await removePackages(packages);
      if (needing.length > 0) {
        process.exitCode = 1;
        return note(`kept: needed by ${needing.join(', ')}, which the demo did not install`);
      }
      note(String(packages.length));
      if (!daemonIsOurs) return;
      for (const directory of ['/var/lib/incus', '/var/log/incus', '/var/cache/incus']) await eraseDirectory(directory);
    });
  }
  if (record.get('backports') && existsSync(backportsFile)) {
    await step(`${backportsFile} removed`, async () => {
      await run('rm', [backportsFile], { root: true });
      await refreshIndexes();
    });
  }
  if (record.get('groupMember')) {
    await step('Membership in incus-admin removed', () =>
      run('gpasswd', ['-d', record.get('groupMember'), 'incus-admin'], { root: true }).catch(() => {}),
    );
  }
}
