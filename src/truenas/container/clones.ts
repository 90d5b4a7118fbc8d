import { isKind, PixelsError } from '../../sandbox/errors';
import type { SandboxName } from '../../sandbox/name';
import type { TrueNasApi } from '../api';
import { originsSchema, type Container } from './wire';

/**
 * Datasets that are clones of a snapshot of this container, wherever in its pool: deleting it with its snapshots would
 * destroy them too. What is internal to TrueNAS is left out below the pool, but not when it is asked for by its path.
 * @throws PixelsError `unsupported` where the server does not say.
 */
export async function clonesOf(
  api: TrueNasApi,
  name: SandboxName,
  { dataset }: Pick<Container, 'dataset'>,
  signal?: AbortSignal,
): Promise<string[]> {
  const [pool = ''] = dataset.split('/');
  const below = async (path: string): Promise<string[]> => {
    const body = { paths: [path], properties: ['origin'], get_children: true };
    const found = await api.call('zfs.resource.query', [body], originsSchema, { signal });
    return found.flatMap((resource) =>
      resource.properties?.origin?.raw?.startsWith(`${dataset}@`) === true ? [resource.name] : [],
    );
  };
  try {
    const all = await Promise.all([below(pool), below(`${pool}/.truenas_containers`)]);
    return [...new Set(all.flat())];
  } catch (error) {
    if (!isKind(error, 'unsupported')) throw error;
    throw new PixelsError(
      'unsupported',
      `This TrueNAS does not say whether something depends on a snapshot of ${name}.`,
      {
        hint: 'Delete its checkpoints first.',
        cause: error,
      },
    );
  }
}
