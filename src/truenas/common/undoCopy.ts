import type { Log } from '../../sandbox/log';
import type { SandboxName } from '../../sandbox/name';
import type { TrueNasApi } from '../api';
import { isTemporary } from './copyCommand';
import { parseSnapshot } from './names';
import { removeSnapshot } from './snapshots';

/**
 * Takes away a copy that did not succeed, and the snapshot of its source that was only for it. Throws nothing: what cannot be
 * taken away stays marked, and says so when it is started. The first error is the one to tell.
 * @param copyOf the snapshot.
 */
export async function undoCopy(
  api: TrueNasApi,
  name: SandboxName,
  { copyOf, destroy, log }: { readonly copyOf: string; readonly destroy: () => Promise<void>; readonly log: Log },
): Promise<void> {
  try {
    await destroy();
  } catch (error) {
    log.warn(`${name} is left: ${String(error)}`);
    return;
  }
  const { dataset, snapshot } = parseSnapshot(copyOf);
  if (!isTemporary(snapshot)) return;
  // Mostly it is gone: the command that copies removes it, unless it was killed.
  await removeSnapshot(api, dataset, snapshot, {}).catch((error: unknown) => log.debug(`${copyOf}: ${String(error)}`));
}
