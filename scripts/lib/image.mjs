/** Base images: from the public image server where it can be reached, otherwise built from the distribution's own mirror. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { builtImages, currentRecipe } from './image-build.mjs';
import { find, request } from './incus-api.mjs';
import { distribution } from './packages.mjs';
import { interrupted } from './steps.mjs';

/** Incus' own public image server, what `images:` means in its client. */
const publicServer = 'https://images.linuxcontainers.org';

export const bareAlias = 'pixels-test/bare';

/** The alias of this machine's own distribution, as the public server has it: `debian/12`, `ubuntu/24.04`. */
export function defaultAlias() {
  const { id, version, codename } = distribution();
  return `${id}/${version || codename}`;
}

/**
 * Makes sure that the daemon has an image `alias`, whatever is in it, and says where it came from. `made(fingerprint)` is
 * called when one was added.
 */
export async function ensureImage(socket, alias = defaultAlias(), made = () => {}) {
  if (await find(socket, aliasPath(alias))) return 'already there';
  if (await answersQuickly(publicServer)) {
    const source = { type: 'image', mode: 'pull', protocol: 'simplestreams', server: publicServer, alias };
    const { fingerprint } = await request(socket, 'POST', '/1.0/images', { source, aliases: [{ name: alias }] });
    made(fingerprint);
    return 'downloaded';
  }
  return ensureBuiltImage(socket, alias, made);
}

/**
 * Makes sure that the daemon has the image that image-build.mjs builds at present under `alias` (the default one or the bare
 * one), and says where it came from. Tests want the same contents everywhere, also after a change to the recipe.
 */
export async function ensureBuiltImage(socket, alias = defaultAlias(), made = () => {}) {
  if (alias !== bareAlias && alias !== defaultAlias()) {
    throw new Error(`Only ${defaultAlias()} can be built on this machine, not ${alias}`);
  }
  const recipe = await currentRecipe();
  const known = await find(socket, aliasPath(alias));
  const old = known && (await request(socket, 'GET', `/1.0/images/${known.target}`));
  if (old?.properties.recipe === recipe) return 'already there';
  const { full, bare, fresh } = await builtImages(recipe, defaultAlias().replace('/', '-'));
  const target = await importImage(socket, alias === bareAlias ? bare : full, recipe);
  made(target);
  if (known) await request(socket, 'PUT', aliasPath(alias), { target });
  else await request(socket, 'POST', '/1.0/images/aliases', { name: alias, target });
  if (old?.properties.recipe) await request(socket, 'DELETE', `/1.0/images/${old.fingerprint}`);
  return fresh ? 'built from the mirror' : 'built earlier';
}

/** Imports a unified image tarball and returns its fingerprint, which is the file's SHA-256. */
async function importImage(socket, file, recipe) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash, { signal: interrupted });
  const fingerprint = hash.digest('hex');
  if (!(await find(socket, `/1.0/images/${fingerprint}`))) {
    const headers = {
      'X-Incus-filename': path.basename(file),
      'X-Incus-properties': new URLSearchParams({ recipe, description: path.basename(file, '.tar.zst') }).toString(),
    };
    await request(socket, 'POST', '/1.0/images', { file, headers });
  }
  return fingerprint;
}

/** A closed network often swallows packets instead of refusing them, so the wait has a limit. */
async function answersQuickly(url) {
  const signal = AbortSignal.any([AbortSignal.timeout(3000), interrupted]);
  return fetch(url, { method: 'HEAD', signal }).then(
    ({ status }) => status < 500,
    () => false,
  );
}

const aliasPath = (alias) => `/1.0/images/aliases/${encodeURIComponent(alias)}`;
