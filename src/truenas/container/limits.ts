import { requireCapability } from '../../sandbox/lacks';
import type { Limits } from '../../sandbox/sandbox';

/** `container.create` has no field for it. */
export const NO_MEMORY_LIMIT = 'TrueNAS 26 cannot limit the memory of a sandbox.';

/**
 * The CPUs that a container may run on: the first ones, since a set of them is all that `container.*` takes. Null is all.
 * @throws PixelsError `unsupported` when a limit of memory is asked for, which 26 has not.
 */
export function cpusetOf({ cpu, memoryMiB }: Limits): string | null {
  if (memoryMiB !== undefined) requireCapability({ lacks: { memoryLimit: NO_MEMORY_LIMIT } }, 'memoryLimit');
  if (cpu === undefined) return null;
  return cpu === 1 ? '0' : `0-${cpu - 1}`;
}
