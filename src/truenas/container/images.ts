import { cancelled, isKind, PixelsError } from '../../sandbox/errors';
import type { LocalImage } from '../../sandbox/sandbox';
import type { TrueNasApi } from '../api';
import { similarTo } from '../common/similar';
import { registrySchema } from './wire';

/** The newest version of an image in TrueNAS' own registry, the only one that 26 knows. */
export interface RegistryImage {
  /** `debian:bookworm:amd64:default` */
  readonly name: string;
  /** `20261123` */
  readonly version: string;
}

/** The server asks the internet for the list at every call. */
const KEPT_FOR_MS = 60 * 60_000;
const LIMIT_MS = 30_000;

/** What TrueNAS runs on. The registry may have images of others. */
const ARCHITECTURES = ['amd64', 'x86_64'];

/** People ask for releases by number; the registry names them. */
const CODENAMES: Readonly<Record<string, string>> = {
  'debian/11': 'bullseye',
  'debian/12': 'bookworm',
  'debian/13': 'trixie',
  'ubuntu/20.04': 'focal',
  'ubuntu/22.04': 'jammy',
  'ubuntu/24.04': 'noble',
  'ubuntu/26.04': 'resolute',
};

/** The images in TrueNAS' registry that fit its processor, each in its newest version. */
export class Registry {
  private kept: { readonly images: readonly RegistryImage[]; readonly at: number } | undefined;

  constructor(private readonly api: TrueNasApi) {}

  /** See `SandboxHost.images`. Empty when the NAS cannot reach its registry: it has no name server, or no internet. */
  async list(signal?: AbortSignal): Promise<readonly LocalImage[]> {
    try {
      const images = await this.load(signal);
      return images
        .map((image) => ({ alias: aliasOf(image), description: describeImage(keyOf(image)), sizeBytes: undefined }))
        .sort((a, b) => (a.alias < b.alias ? -1 : 1));
    } catch (error) {
      if (isKind(error, 'unreachable') && isKind(error.cause, 'failed', 'timeout')) return [];
      throw error;
    }
  }

  /**
   * The image that a person means by `debian/12`, `images:ubuntu/noble/default` or `debian:bookworm:amd64:default`.
   * @throws PixelsError `not-found` with what there is; `unreachable` when the NAS cannot reach its registry.
   */
  async find(typed: string, signal?: AbortSignal): Promise<RegistryImage> {
    const images = await this.load(signal);
    const found = match(typed, images);
    if (found !== undefined) return found;
    const names = similarTo(typed, images.map(aliasOf).sort());
    throw new PixelsError('not-found', `The image "${typed}" is not in the registry of TrueNAS.`, {
      hint: names.length === 0 ? 'There is none at all in it.' : `There are, for example: ${names.join(', ')}.`,
    });
  }

  /** Something that a container can be made of whose files are replaced anyway: of the same image if it is still there. */
  async any(key: string | undefined, signal?: AbortSignal): Promise<RegistryImage> {
    const images = await this.load(signal);
    const name = key?.split(':').slice(0, 4).join(':');
    const found = images.find((image) => image.name === name) ?? images[0];
    if (found !== undefined) return found;
    throw new PixelsError('not-found', 'There is no image in the registry of TrueNAS.');
  }

  private async load(signal?: AbortSignal): Promise<readonly RegistryImage[]> {
    if (signal?.aborted === true) throw cancelled();
    if (this.kept !== undefined && Date.now() - this.kept.at < KEPT_FOR_MS) return this.kept.images;
    const images = await this.ask(signal);
    if (images.length > 0) this.kept = { images, at: Date.now() };
    return images;
  }

  private async ask(signal?: AbortSignal): Promise<RegistryImage[]> {
    try {
      const call = { signal, limitMs: LIMIT_MS };
      return newest(await this.api.call('container.image.query_registry', [], registrySchema, call));
    } catch (error) {
      if (!isKind(error, 'failed', 'timeout')) throw error;
      throw new PixelsError('unreachable', 'TrueNAS cannot reach its registry of images.', {
        hint: 'See whether TrueNAS has a name server and a way to the internet.',
        cause: error,
      });
    }
  }
}

/** What Pixels remembers of what a sandbox was made of. */
export function keyOf({ name, version }: RegistryImage): string {
  return `${name}:${version}`;
}

/** `debian:bookworm:amd64:default:20261123` as a person reads it. What is not of that kind stays as it is. */
export function describeImage(key: string): string {
  const [system = '', release, architecture, variant, ...version] = key.split(':');
  if (version.length === 0) return key;
  const special = variant === 'default' ? [] : [variant];
  const words = [system.charAt(0).toUpperCase() + system.slice(1), release, ...special, architecture];
  return `${words.join(' ')} (${version.join(':')})`;
}

function newest(registry: readonly { name: string; versions: readonly { version: string }[] }[]): RegistryImage[] {
  const all = registry.flatMap(({ name, versions }) => versions.map(({ version }) => ({ name, version })));
  const fitting = all.filter(({ name }) => ARCHITECTURES.includes(name.split(':')[2] ?? ''));
  const byName = new Map<string, RegistryImage>();
  for (const image of fitting.sort((a, b) => (a.version < b.version ? -1 : 1))) byName.set(image.name, image);
  return [...byName.values()];
}

/** `debian/bookworm`, with the variant where it is not the default one. */
function aliasOf({ name }: RegistryImage): string {
  const [system, release, , variant] = name.split(':');
  return [system, release, ...(variant === 'default' ? [] : [variant])].join('/');
}

function match(typed: string, images: readonly RegistryImage[]): RegistryImage | undefined {
  const exact = images.find(({ name }) => name === typed);
  if (exact !== undefined) return exact;
  const [system = '', number = '', variant = 'default', ...rest] = typed.replace(/^images:/, '').split('/');
  if (rest.length > 0) return undefined;
  const releases = [number, CODENAMES[`${system}/${number}`]];
  return images.find(({ name }) => {
    const parts = name.split(':');
    return parts[0] === system.toLowerCase() && releases.includes(parts[1]) && parts[3] === variant;
  });
}
