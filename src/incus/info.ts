import { isKind, PixelsError } from '../sandbox/errors';
import type { HostInfo } from '../sandbox/sandbox';
import * as z from 'zod/mini';
import type { IncusApi } from './api';
import { poolOf } from './sandboxes';
import { profileSchema, resourcesSchema, serverSchema } from './wire';

/** See `SandboxHost.info`. */
export async function info(api: IncusApi, signal?: AbortSignal): Promise<HostInfo> {
  const [server, resources] = await Promise.all([
    api.read('', serverSchema, { signal }),
    readResources(api, signal),
    checkProject(api, signal),
  ]);
  const { auth, environment } = server;
  if (auth !== 'trusted' || environment === undefined) throw untrusted();
  return {
    title: `Incus ${environment.server_version} on ${environment.server_name}`,
    ...resources,
    rollbackDestroysNewer: await isZfs(api, environment.storage, signal),
    copiesAreLinked: false,
    lacks: {},
  };
}

/** Whether a rollback destroys the snapshots after it. */
export async function rollbackDestroysNewer(api: IncusApi, signal?: AbortSignal): Promise<boolean> {
  const { environment } = await api.read('', serverSchema, { signal });
  return environment !== undefined && isZfs(api, environment.storage, signal);
}

/** `drivers` are those in use: "btrfs | zfs". Only where ZFS is among them there is more to ask. */
async function isZfs(api: IncusApi, drivers: string, signal?: AbortSignal): Promise<boolean> {
  return drivers.includes('zfs') && (await defaultDriver(api, signal)) === 'zfs';
}

/** A client whose certificate is restricted to a project may not ask for the hardware: then there is nothing to compare. */
async function readResources(api: IncusApi, signal?: AbortSignal): Promise<{ cpuCount: number; memoryMiB: number }> {
  try {
    const { cpu, memory } = await api.read('/resources', resourcesSchema, { signal });
    return { cpuCount: cpu.total, memoryMiB: Math.floor(memory.total / 2 ** 20) };
  } catch (error) {
    if (!isKind(error, 'forbidden')) throw error;
    return { cpuCount: Infinity, memoryMiB: Infinity };
  }
}

/** Incus lists nothing at all for a project that does not exist; here it is an error. */
async function checkProject(api: IncusApi, signal?: AbortSignal): Promise<void> {
  if (api.project === undefined) return;
  await api.read(`/projects/${encodeURIComponent(api.project)}`, z.unknown(), { signal });
}

async function defaultDriver(api: IncusApi, signal?: AbortSignal): Promise<string | undefined> {
  const { devices } = await api.read('/profiles/default', profileSchema, { signal });
  const pool = poolOf(devices);
  if (pool === undefined) return undefined;
  const path = `/storage-pools/${encodeURIComponent(pool)}`;
  return (await api.read(path, z.object({ driver: z.string() }), { signal })).driver;
}

function untrusted(): PixelsError {
  return new PixelsError('forbidden', 'The Incus server does not trust your client certificate.', {
    hint: 'On the server, run "incus config trust add-certificate" with it.',
  });
}
