import { ERRNO, ValidationErrors } from '../rpc/errors';
import type { Nas } from '../nas';

/**
 * From 26.0.0-RC.1 the data sets of containers are internal paths, whose snapshots the API does not touch ([stable/26] commit 3b654bc0d0,
 * MW:plugins/zfs/utils.py `INTERNAL_PATHS`).
 */
export function refuseProtected({ misbehave, profile }: Nas, method: string, path: string): void {
  if (profile !== '26.0' || !misbehave.protectedPaths || !path.includes('/.truenas_containers')) return;
  throw new ValidationErrors([[method, `'${path}' is a protected path.`, ERRNO.EACCES]], 'ValidationError');
}
