import { isKind } from '../../sandbox/errors';
import type { TrueNasApi } from '../api';
import { isProtected } from '../common/protectedPath';
import { explained } from '../common/refusals';
import { removeSnapshot } from '../common/snapshots';
import type { About } from '../errors';

/** A name that no snapshot has: it is neither a checkpoint's nor one of a copy's. */
const NOBODY = 'pixels-probe';

/**
 * Finds out whether the API takes, restores and deletes snapshots of a dataset, without doing anything: one that is not
 * there cannot be deleted, but where the dataset is protected that is said first.
 * @throws PixelsError `unsupported` where it is; `unreachable`, `timeout` and `cancelled` when nobody has said it.
 */
export async function refuseProtected(
  api: TrueNasApi,
  dataset: string,
  options: { readonly about: About; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  try {
    await removeSnapshot(api, dataset, NOBODY, options);
  } catch (error) {
    if (isProtected(error)) throw explained(error, options.about);
    if (isKind(error, 'unreachable', 'timeout', 'cancelled')) throw error;
  }
}
