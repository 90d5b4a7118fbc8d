import * as z from 'zod/mini';
import { isKind, PixelsError } from '../sandbox/errors';
import type { LocalImage } from '../sandbox/sandbox';
import type { IncusApi } from './api';
import { isRefusal } from './errors';
import { imageAliasSchema, imageSchema } from './wire';

/** An image on the public server is asked for like this; without it, the Incus server's own images come first. */
const REMOTE_PREFIX = 'images:';

const FINGERPRINT = /^[0-9a-f]{6,64}$/;
const SHORT_FINGERPRINT_LENGTH = 12;

/** See `SandboxHost.images`. An image without an alias (one that was downloaded) goes by its short fingerprint. */
export async function localImages(api: IncusApi, signal?: AbortSignal): Promise<LocalImage[]> {
  const images = await api.read('/images', z.array(imageSchema), { query: { recursion: 1 }, signal });
  return images
    .filter(({ type }) => type === 'container')
    .flatMap(({ aliases, fingerprint, properties, size }) => {
      const names = aliases?.map(({ name }) => name) ?? [];
      if (names.length === 0) names.push(fingerprint.slice(0, SHORT_FINGERPRINT_LENGTH));
      const description = properties?.['description'] ?? '';
      return names.map((alias) => ({ alias, description, sizeBytes: size }));
    })
    .sort((a, b) => (a.alias < b.alias ? -1 : 1));
}

/** See `SandboxHost.imageFingerprint`. What Incus has downloaded itself has no alias here, and changes when it likes. */
export async function imageFingerprint(
  api: IncusApi,
  image: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  return image.startsWith(REMOTE_PREFIX) ? undefined : localFingerprint(api, image, signal);
}

/** The `source` of a new instance: an image that is there, otherwise the image server's, which Incus itself downloads. */
export async function imageSource(api: IncusApi, image: string, signal?: AbortSignal): Promise<object> {
  const alias = image.startsWith(REMOTE_PREFIX) ? image.slice(REMOTE_PREFIX.length) : image;
  const fingerprint = await localFingerprint(api, image, signal);
  if (fingerprint !== undefined) return { type: 'image', fingerprint };
  return { type: 'image', mode: 'pull', protocol: 'simplestreams', server: api.imageServer, alias };
}

/**
 * What a failed create says when the image was the reason: which images there are. Other errors stay as they are.
 */
export async function explainImageError(api: IncusApi, image: string, error: unknown): Promise<unknown> {
  if (!isRefusal(error, 'no-such-image', 'image-server')) return error;
  const local = await localImages(api).catch(() => []);
  const names = local.map(({ alias }) => alias).join(', ');
  const hint = names === '' ? 'The server has no images of its own.' : `On the server there are: ${names}.`;
  const where = isRefusal(error, 'image-server')
    ? `is not on the server, and ${api.imageServer} cannot be reached from there`
    : `is neither on the server nor on ${api.imageServer}`;
  return new PixelsError('not-found', `The image "${image}" ${where}.`, { hint, cause: error });
}

/** The image that the server itself has for this; undefined when it has none, or another server's is asked for. */
export async function localFingerprint(
  api: IncusApi,
  alias: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (alias.startsWith(REMOTE_PREFIX)) return undefined;
  const paths = [`/images/aliases/${encodeURIComponent(alias)}`];
  if (FINGERPRINT.test(alias)) paths.push(`/images/${alias}`);
  for (const path of paths) {
    try {
      const found = await api.read(path, z.union([imageAliasSchema, imageSchema]), { about: { image: alias }, signal });
      return 'target' in found ? found.target : found.fingerprint;
    } catch (error) {
      if (!isKind(error, 'not-found')) throw error;
    }
  }
  return undefined;
}
