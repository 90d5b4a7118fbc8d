import { isKind } from '../../sandbox/errors';
import type { Log } from '../../sandbox/log';
import type { TrueNasApi } from '../api';
import { readMeta } from '../meta';
import { COPIED, OWN_SNAPSHOTS } from './copyCommand';
import { removeOldTasks } from './cronTask';
import type { CommonInstance, Instances } from './instances';
import { parseSnapshot } from './names';
import { removeSnapshot } from './snapshots';

/** A window may be open for days. */
const AGAIN_MS = 15 * 60_000;

/** Looks for leftovers in the background, at the first call, and then at most every 15 minutes. */
export function leftoverCare(api: TrueNasApi, instances: Instances, log: Log): () => void {
  let next = 0;
  return () => {
    if (performance.now() < next) return;
    next = performance.now() + AGAIN_MS;
    void removeLeftovers(api, instances, log);
  };
}

/**
 * Removes what copies have left whose process (or the NAS) died: cron jobs, and snapshots that were only for the copy.
 * Nothing while a copy is under way. Without the rights for that, others will do it.
 */
export async function removeLeftovers(api: TrueNasApi, instances: Instances, log: Log): Promise<void> {
  try {
    if (await removeOldTasks(api, log)) return;
    // The snapshots first: every one that is seen belongs to an instance that was there before it.
    const snapshots = await instances.snapshots(`${OWN_SNAPSHOTS}$`);
    if (snapshots.length === 0) return;
    const wanted = neededSnapshots(await instances.all());
    for (const id of snapshots.filter((found) => !wanted.has(found))) {
      const { dataset, snapshot } = parseSnapshot(id);
      log.info(`removing ${id}, left by a copy`);
      await removeSnapshot(api, dataset, snapshot, {}).catch((error: unknown) => log.debug(`${id}: ${String(error)}`));
    }
  } catch (error) {
    if (!isKind(error, 'forbidden')) log.debug(`leftovers of copies: ${String(error)}`);
  }
}

function neededSnapshots(found: readonly CommonInstance[]): ReadonlySet<string> {
  return new Set(
    found.flatMap(({ environment, dataset }) => {
      const { copyOf, linkedTo } = readMeta(environment);
      const complete = `${dataset}@${COPIED}`;
      return [...(copyOf === undefined ? [] : [copyOf, complete]), ...(linkedTo === undefined ? [] : [linkedTo])];
    }),
  );
}
