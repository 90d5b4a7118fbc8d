import * as z from 'zod/mini';
import type { ServerInfo, TrueNasApi } from './api';
import { isMissingMethod, refusalOf } from './errors';

/**
 * What this server is and has. It is asked for what it can do: version numbers say too little (the container methods
 * changed within 25.04, and are gone in 26).
 */
export async function probeMethods(call: TrueNasApi['call']): Promise<ServerInfo> {
  const has = async (method: string, params: readonly unknown[] = []): Promise<boolean> => {
    try {
      await call(method, params, z.unknown());
      return true;
    } catch (error) {
      if (isMissingMethod(error)) return false;
      if (refusalOf(error) !== undefined) return true; // it is there, for others or at another time
      throw error;
    }
  };
  const containers = async (): Promise<ServerInfo['containers']> => {
    if (await has('virt.global.config')) return 'virt';
    return (await has('lxc.config')) ? 'container' : 'none';
  };
  const [version, kind, hasPoolSnapshots] = await Promise.all([
    call('system.version', [], z.string()),
    containers(),
    // Only counted: 25.x would list every snapshot of every pool with its properties (plugins/zfs_/snapshot.py).
    has('pool.snapshot.query', [[], { count: true }]),
  ]);
  return { version, containers: kind, snapshots: hasPoolSnapshots ? 'pool.snapshot' : 'zfs.snapshot' };
}
