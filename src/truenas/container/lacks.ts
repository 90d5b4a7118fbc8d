import { isKind } from '../../sandbox/errors';
import type { Lacks } from '../../sandbox/sandbox';
import type { ServerInfo, TrueNasApi } from '../api';
import { NO_MEMORY_LIMIT } from './limits';
import { refuseProtected } from './probe';
import { poolChoicesSchema } from './wire';

/** What a TrueNAS 26 cannot do; asked once for each connection, since it may have been updated before the next one. */
export function lacksOf(api: TrueNasApi): (signal?: AbortSignal) => Promise<Lacks> {
  const known = new WeakMap<ServerInfo, Lacks>();
  return async (signal) => {
    const server = await api.server(signal);
    const lacks = known.get(server) ?? { memoryLimit: NO_MEMORY_LIMIT, ...(await noCheckpoints(api, signal)) };
    known.set(server, lacks);
    return lacks;
  };
}

/**
 * Whether the datasets of containers are protected; that goes by their names, so any pool will do. A key that may not ask
 * does not get to know it, and hears it from the server later.
 */
async function noCheckpoints(api: TrueNasApi, signal?: AbortSignal): Promise<Pick<Lacks, 'checkpoints'>> {
  try {
    const [pool] = Object.keys(await api.call('container.pool_choices', [], poolChoicesSchema, { signal }));
    if (pool !== undefined) await refuseProtected(api, `${pool}/.truenas_containers/containers`, { about: {}, signal });
    return {};
  } catch (error) {
    if (isKind(error, 'unsupported')) return { checkpoints: error.message };
    if (isKind(error, 'forbidden')) return {};
    throw error;
  }
}
