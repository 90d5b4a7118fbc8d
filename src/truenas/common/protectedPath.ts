import { Errno, refusalOf } from '../errors';

/**
 * Whether the API keeps away from the snapshots of containers: since 26.0.0-RC.1 their datasets are internal to TrueNAS
 * ([stable/26] commit 3b654bc0d0). It says so as a complaint with EACCES; a missing role comes without complaints.
 */
export function isProtected(error: unknown): boolean {
  const refusal = refusalOf(error);
  if (refusal === undefined || !/^(pool|zfs)[.]/.test(refusal.method)) return false;
  return refusal.extra.some(({ errno }) => errno === Errno.EACCES);
}
