/**
 * Packages of the distribution, through apt. No mirror is named here: apt itself says which of the machine's sources serve
 * the distribution (`apt-get indextargets` reads `.list` and `.sources` files alike and knows each one's origin).
 */
import { existsSync, readFileSync } from 'node:fs';
import { CommandFailed, run, say, step } from './steps.mjs';

export const backportsFile = '/etc/apt/sources.list.d/pixels-backports.sources';

let changed = () => {};

/** From now on, `listener({ packages: [...] })` and `listener({ backports: true })` hear of each change before it is made. */
export function onSystemChange(listener) {
  changed = listener;
}

const oldest = { debian: 12, ubuntu: 24.04 };

/** `{ id, version, codename, keyring }` of this machine. Throws on anything but Debian 12+ and Ubuntu 24.04+. */
export function distribution() {
  const text = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const field = (name) => new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  const id = field('ID');
  const version = field('VERSION_ID');
  const codename = field('VERSION_CODENAME');
  // Debian testing has no VERSION_ID; it is newer than every number.
  const supported = id in oldest && (version === '' || Number(version) >= oldest[id]);
  if (!supported) {
    throw new Error(
      `This needs Debian 12 or newer, or Ubuntu 24.04 or newer; this machine is ${field('PRETTY_NAME') || 'something else'}. ` +
        'Elsewhere, install Incus (https://linuxcontainers.org/incus) and give the extension its socket.',
    );
  }
  return { id, version, codename, keyring: `/usr/share/keyrings/${id}-archive-keyring.gpg` };
}

/** The distribution's own repositories as this machine has them: `[{ uri, suite, components }]`. */
export async function distributionSources() {
  const { id, codename } = distribution();
  const own = (sources) => sources.filter(({ origin }) => origin === (id === 'ubuntu' ? 'Ubuntu' : 'Debian'));
  let sources = own(await aptSources());
  if (!sources.some(({ suite }) => suite === codename)) {
    await refreshIndexes(); // the origin is only known once apt has fetched the indexes
    sources = own(await aptSources());
  }
  if (!sources.some(({ suite }) => suite === codename)) {
    throw new Error(`No apt source of this machine serves ${codename}; see /etc/apt/sources.list.d`);
  }
  return sources;
}

/** Every repository in apt's configuration, in either of its two formats; `origin` is who publishes it. */
async function aptSources() {
  const format = '$(ORIGIN)\t$(REPO_URI)\t$(RELEASE)\t$(COMPONENT)';
  const lines = await run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  const sources = new Map();
  for (const line of lines.split('\n').filter(Boolean)) {
    const [origin, uri, suite, component] = line.split('\t');
    const source = sources.get(`${uri} ${suite}`) ?? { origin, uri, suite, components: [] };
    if (!source.components.includes(component)) source.components.push(component);
    sources.set(`${uri} ${suite}`, source);
  }
  return [...sources.values()];
}

/** Those of `names` that are not installed. */
export async function missingPackages(names) {
  const format = '${db:Status-Abbrev} ${Package}\n';
  const known = await run('dpkg-query', ['-W', '-f', format, ...names]).catch((error) => {
    if (error instanceof CommandFailed) return error.output; // code 1: some are unknown; the rest is listed all the same
    throw error;
  });
  const installed = new Set(known.split('\n').map((line) => /^ii\s+(\S+)$/.exec(line)?.[1]));
  return names.filter((name) => !installed.has(name));
}

/** Installs what is missing of `names` and says so first. An entry may be a list of alternatives, best first. */
export async function ensurePackages(names, why) {
  const wanted = [];
  for (const alternatives of names.map((name) => [name].flat())) {
    const missing = await missingPackages(alternatives);
    if (missing.length === alternatives.length) wanted.push(alternatives);
  }
  if (wanted.length === 0) return;
  const chosen = await step(`Package lists for ${why}`, () => choose(wanted));
  say(`  Installing system packages for ${why}: ${chosen.join(' ')}`);
  await step('Packages', async (note) => {
    const install = ['install', '-y', '-q', '--no-install-recommends', ...chosen];
    const fresh = await missingPackages(planned(await run('apt-get', ['-s', ...install]), 'Inst'));
    changed({ packages: fresh }); // dependencies included
    note(`${fresh.length} with dependencies`);
    await apt(install).catch(async (error) => {
      if (!(error instanceof CommandFailed)) throw error;
      await refreshIndexes(); // lists from before the mirror's last change name files that are gone
      await apt(install);
    });
  });
}

/**
 * Takes packages away with their configuration. Returns the names of other packages that need them by now: then nothing is
 * removed.
 */
export async function removePackages(names) {
  const missing = await missingPackages(names);
  const present = names.filter((name) => !missing.includes(name));
  if (present.length === 0) return [];
  const purge = ['purge', '-y', '-q', ...present];
  const others = planned(await run('apt-get', ['-s', ...purge]), 'Purg').filter((name) => !present.includes(name));
  if (others.length === 0) await apt(purge);
  return others;
}

/** Fetches the package lists. A third-party source that does not answer is not our failure: what is missing shows later. */
export async function refreshIndexes() {
  await apt(['update', '-q']).catch((error) => {
    if (!(error instanceof CommandFailed)) throw error;
  });
}

/** Waits for another apt, such as the one that a fresh machine runs by itself. */
function apt(args) {
  const env = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };
  return run('apt-get', ['-o', 'DPkg::Lock::Timeout=180', ...args], { root: true, env });
}

/** The names on the `Inst` or `Purg` lines of apt's simulation. */
const planned = (plan, action) => [...plan.matchAll(new RegExp(`^${action} (\\S+)`, 'gm'))].map(([, name]) => name);

/** Of each list of alternatives, the first name that apt can install; with newer lists or backports where it must. */
async function choose(wanted) {
  const pick = async () => {
    const available = await availablePackages(wanted.flat());
    return wanted.map((alternatives) => alternatives.find((name) => available.has(name)));
  };
  let chosen = await pick();
  if (chosen.includes(undefined)) {
    await refreshIndexes();
    chosen = await pick();
  }
  if (chosen.includes(undefined) && (await addBackports())) chosen = await pick();
  if (chosen.includes(undefined)) {
    const lacking = wanted.filter((_, index) => !chosen[index]).map((alternatives) => alternatives.join(' or '));
    throw new Error(`No apt source of this machine has ${lacking.join(', ')}`);
  }
  return chosen;
}

async function availablePackages(names) {
  const policy = await run('apt-cache', ['policy', ...names], { env: { LC_ALL: 'C' } });
  return new Set([...policy.matchAll(/^(\S+):\n.*\n +Candidate: (?!\(none\))/gm)].map(([, name]) => name));
}

/** Debian 12 has Incus only in backports. In a file of its own, so that removing is deleting it. */
async function addBackports() {
  const { id, codename, keyring } = distribution();
  const suite = `${codename}-backports`;
  if ((await aptSources()).some((source) => source.suite === suite)) return false;
  const { uri } = (await distributionSources()).find((source) => source.suite === codename);
  const components = id === 'ubuntu' ? 'main universe' : 'main';
  const text = `Types: deb\nURIs: ${uri}\nSuites: ${suite}\nComponents: ${components}\nSigned-By: ${keyring}\n`;
  say(`  Adding the apt suite ${suite} in ${backportsFile}`);
  changed({ backports: true });
  await run('tee', [backportsFile], { root: true, input: text });
  await refreshIndexes();
  return true;
}
