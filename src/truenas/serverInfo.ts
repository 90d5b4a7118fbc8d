import * as z from 'zod/mini';
import type { ServerInfo, SnapshotMethods, TrueNasApi } from './api';
import { isMissingMethod, refusalOf } from './errors';

type CallMethod = TrueNasApi['call'];

/**
 * What this server is and has. It is asked for what it can do: version numbers say too little (the container methods
 * changed within 25.04, and are gone in 26).
 */
export async function probeServer(call: CallMethod): Promise<ServerInfo> {
  const containers = async (): Promise<ServerInfo['containers']> => {
    if (await has(call, 'virt.global.config')) return 'virt';
    return (await has(call, 'lxc.config')) ? 'container' : 'none';
  };
  const [version, kind] = await Promise.all([call('system.version', [], z.string()), containers()]);
  return { version, containers: kind };
}

/** What the methods for snapshots are called here. */
export async function probeSnapshotMethods(call: CallMethod): Promise<SnapshotMethods> {
  // Only counted: 25.x would list every snapshot of every pool with its properties (plugins/zfs_/snapshot.py).
  return (await has(call, 'pool.snapshot.query', [[], { count: true }])) ? 'pool.snapshot' : 'zfs.snapshot';
}

async function has(call: CallMethod, method: string, params: readonly unknown[] = []): Promise<boolean> {
  try {
    await call(method, params, z.unknown());
    return true;
  } catch (error) {
    if (isMissingMethod(error)) return false;
    if (refusalOf(error) !== undefined) return true; // it is there, for others or at another time
    throw error;
  }
}
