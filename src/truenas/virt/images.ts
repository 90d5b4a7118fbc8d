import { cancelled, isKind, PixelsError } from '../../sandbox/errors';
import type { LocalImage } from '../../sandbox/sandbox';
import type { TrueNasApi } from '../api';
import { similarTo } from '../common/similar';
import { refusalOf } from '../errors';
import { imageChoicesSchema } from './wire';

/** The server asks the internet for the list at every call, which takes seconds. */
const KEPT_FOR_MS = 60 * 60_000;
const LIMIT_MS = 30_000;

/**
 * The images of the only image server that TrueNAS knows, images.linuxcontainers.org. It does not say which of them it
 * has already.
 */
export class ImageList {
  private kept: { readonly images: readonly LocalImage[]; readonly at: number } | undefined;

  constructor(private readonly api: TrueNasApi) {}

  /** See `SandboxHost.images`. Empty when the NAS cannot reach the image server: it has no name server, or no internet. */
  async load(signal?: AbortSignal): Promise<readonly LocalImage[]> {
    if (signal?.aborted === true) throw cancelled();
    if (this.kept !== undefined && Date.now() - this.kept.at < KEPT_FOR_MS) return this.kept.images;
    const images = await this.ask(signal);
    if (images.length > 0) this.kept = { images, at: Date.now() };
    return images;
  }

  /** What a failed create says when the image was the reason: which images there are. Other errors stay as they are. */
  async explain(image: string, error: unknown): Promise<unknown> {
    // What TrueNAS has against a pool or a device comes as a complaint about that argument; of an image only Incus speaks.
    if (!isKind(error, 'not-found') || refusalOf(error)?.extra.length !== 0) return error;
    const names = similarTo(
      image,
      (await this.load().catch(() => [])).map(({ alias }) => alias),
    );
    const hint =
      names.length === 0 ? 'Its images cannot be listed right now.' : `There are, for example: ${names.join(', ')}.`;
    return new PixelsError('not-found', `The image "${image}" is not on images.linuxcontainers.org.`, {
      hint,
      cause: error,
    });
  }

  private async ask(signal?: AbortSignal): Promise<LocalImage[]> {
    try {
      const params = [{ remote: 'LINUX_CONTAINERS' }];
      const choices = await this.api.call('virt.instance.image_choices', params, imageChoicesSchema, {
        signal,
        limitMs: LIMIT_MS,
      });
      return Object.entries(choices)
        .filter(([, { instance_types: types }]) => types.includes('CONTAINER'))
        .map(([alias, { label }]) => ({ alias, description: label, sizeBytes: undefined }))
        .sort((a, b) => (a.alias < b.alias ? -1 : 1));
    } catch (error) {
      if (!isKind(error, 'failed', 'timeout')) throw error;
      return [];
    }
  }
}
