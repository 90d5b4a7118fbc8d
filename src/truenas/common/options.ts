import type { Log } from '../../sandbox/log';
import type { NicOption } from './nic';

export interface TrueNasHostOptions {
  readonly log: Log;
  /** How new sandboxes are connected; `auto` where it is left out. */
  readonly nic?: NicOption | undefined;
  /** The pool for new sandboxes; the global setting of the NAS where it is left out. */
  readonly pool?: string | undefined;
  /**
   * Copies are ZFS clones: instant, and without space of their own at first. But then a checkpoint of the source cannot
   * be deleted before its clones are, restoring the source to an older one is refused, and the update to TrueNAS 26
   * leaves clones out.
   */
  readonly linkedClones?: boolean | undefined;
}
