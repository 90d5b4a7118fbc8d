import { isKind } from '../../sandbox/errors';
import type { HostInfo, Lacks } from '../../sandbox/sandbox';
import type { TrueNasApi } from '../api';
import { systemInfoSchema } from './wire';

/** What the server does not say of itself. */
interface AboutDriver {
  readonly copiesAreLinked: boolean;
  /** Is said in the title, where a person sees it. */
  readonly isExperimental: boolean;
  readonly lacks: Lacks;
}

/**
 * See `SandboxHost.info`. A key that has roles for containers only may not ask for the hardware: then there is nothing
 * to compare.
 */
export async function info(
  api: TrueNasApi,
  { copiesAreLinked, isExperimental, lacks }: AboutDriver,
  signal?: AbortSignal,
): Promise<HostInfo> {
  const common = { rollbackDestroysNewer: true, copiesAreLinked, lacks };
  try {
    const { version, hostname, cores, physmem } = await api.call('system.info', [], systemInfoSchema, { signal });
    const title = titleOf(version, isExperimental, hostname);
    return { title, cpuCount: cores, memoryMiB: Math.floor(physmem / 2 ** 20), ...common };
  } catch (error) {
    if (!isKind(error, 'forbidden')) throw error;
    const title = titleOf((await api.server(signal)).version, isExperimental);
    return { title, cpuCount: Infinity, memoryMiB: Infinity, ...common };
  }
}

function titleOf(version: string, isExperimental: boolean, hostname?: string): string {
  const title = `TrueNAS ${version.replace(/^TrueNAS-(SCALE-)?/, '')}`;
  const place = hostname === undefined ? '' : ` on ${hostname}`;
  return title + place + (isExperimental ? ' (experimental)' : '');
}
