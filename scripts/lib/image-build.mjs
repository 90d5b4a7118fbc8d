/** Builds the base images with mmdebstrap (15 s where debootstrap takes 50) from the sources that apt has on this machine. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
} from 'node:fs';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { distribution, distributionSources, ensurePackages } from './packages.mjs';
import { cacheDir, repository, run } from './steps.mjs';

const recipeDirectory = path.join(repository, 'scripts/image');
const firstPackages = ['systemd', 'systemd-sysv', 'udev', 'dbus', 'iproute2', 'systemd-resolved', 'netbase'];

/** A hash of all that goes into the images, apart from the packages' versions: this machine's sources, these scripts. */
export async function currentRecipe() {
  const files = readdirSync(recipeDirectory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .concat(new URL(import.meta.url).pathname)
    .sort();
  const hash = createHash('sha256').update(JSON.stringify([await distributionSources(), await aptOptions()]));
  for (const file of files) hash.update(path.relative(recipeDirectory, file)).update(readFileSync(file));
  return hash.digest('hex').slice(0, 12);
}

/**
 * Two image tarballs of that recipe, from the cache or built (`fresh`): `full` (sshd, sudo, git, tmux and what provisioning
 * needs) and `bare` (none of them). Their apt sources are this machine's, so that apt works in a sandbox too.
 */
export async function builtImages(recipe, name) {
  const directory = path.join(cacheDir, 'images');
  const full = `${directory}/${name}-${recipe}.tar.zst`;
  const bare = `${directory}/${name}-bare-${recipe}.tar.zst`;
  if (existsSync(full) && existsSync(bare)) return { full, bare, fresh: false };
  mkdirSync(directory, { recursive: true });
  await build({ full, bare });
  for (const old of readdirSync(directory)) if (!old.includes(recipe)) rmSync(`${directory}/${old}`, { force: true });
  return { full, bare, fresh: true };
}

async function build({ full, bare }) {
  await ensurePackages(['mmdebstrap', 'zstd'], 'building the base image');
  const { codename, keyring } = distribution();
  const work = mkdtempSync('/var/tmp/pixels-image-'); // not /tmp, which may be a small tmpfs or mounted nodev
  chmodSync(work, 0o755); // apt downloads as its own user
  try {
    writeFileSync(`${work}/metadata.yaml`, await metadata());
    cpSync(`${recipeDirectory}/templates`, `${work}/templates`, { recursive: true });
    cpSync(recipeDirectory, `${work}/recipe`, { recursive: true }); // hooks go through the shell: no spaces in this path
    const sources = await distributionSources();
    const lines = sources.map(
      ({ uri, suite, components }) => `deb [signed-by=${keyring}] ${uri} ${suite} ${components.join(' ')}\n`,
    );
    writeFileSync(`${work}/sources.list`, lines.join(''));
    const options = [
      '--mode=root',
      '--variant=minbase',
      `--include=${firstPackages.join(',')}`,
      ...(await aptOptions()).map((option) => `--aptopt=${option}`),
      `--customize-hook=BARE_TARBALL=${work}/bare.tar.zst ${work}/recipe/customize.sh "$1"`,
    ];
    await run('mmdebstrap', [...options, codename, `${work}/rootfs`, `${work}/sources.list`], { root: true });
    await run(`${work}/recipe/pack.sh`, [work, `${work}/full.tar.zst`], { root: true });
    copyFileSync(`${work}/bare.tar.zst`, `${bare}.part`);
    copyFileSync(`${work}/full.tar.zst`, `${full}.part`);
    renameSync(`${bare}.part`, bare);
    renameSync(`${full}.part`, full);
  } finally {
    await run('rm', ['-rf', '--one-file-system', work], { root: true, cleaningUp: true });
  }
}

/** This machine's proxies and checks for apt: without them a mirror that the machine reaches may be out of the image's reach. */
async function aptOptions() {
  const wanted = /^Acquire::(https?::Proxy|Check-Valid-Until|Check-Date|ForceIPv4|Retries) "(?!DIRECT)./;
  const dump = await run('apt-config', ['dump', '--format', '%F "%v";%n', 'Acquire']);
  return dump.split('\n').filter((line) => wanted.test(line) && !/localhost|127\.0\.0\.1/.test(line));
}

async function metadata() {
  const { id, version, codename } = distribution();
  const architecture = (await run('dpkg', ['--print-architecture'])).trim();
  const kernelNames = { amd64: 'x86_64', arm64: 'aarch64' };
  const template = (file) => ({ when: ['create', 'copy'], template: file });
  return JSON.stringify({
    // JSON is YAML
    architecture: kernelNames[architecture] ?? architecture,
    creation_date: Math.floor(Date.now() / 1000),
    properties: { os: id, release: codename, architecture, description: `${id} ${version || codename} for Pixels` },
    templates: { '/etc/hostname': template('hostname.tpl'), '/etc/hosts': template('hosts.tpl') },
  });
}
