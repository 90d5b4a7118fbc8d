import * as z from 'zod/mini';
import { check, failed, ok, warning, type Check, type Finding, type Wanted } from '../sandbox/check';
import type { IncusApi } from './api';
import { localFingerprint } from './images';
import { poolOf } from './sandboxes';
import { networkSchema, profileSchema } from './wire';

/** See `SandboxHost.examine`. A client that is restricted to a project may look at all this there. */
export async function examine(api: IncusApi, wanted: Wanted, signal?: AbortSignal): Promise<readonly Check[]> {
  const look = (title: string, finding: (api: IncusApi, wanted: Wanted, signal: AbortSignal) => Promise<Finding>) =>
    check(title, (until) => finding(api, wanted, until), { signal });
  return Promise.all([
    look('Project', project),
    look('Storage', storage),
    look('Network', network),
    look('Image', image),
  ]);
}

async function project(api: IncusApi, _: Wanted, signal: AbortSignal): Promise<Finding> {
  const name = api.project ?? 'default';
  await api.read(`/projects/${encodeURIComponent(name)}`, z.unknown(), { signal });
  return ok(`Sandboxes are in the project "${name}".`);
}

/** Where the root disk of a new sandbox goes: where the configuration says, or the default profile. */
async function storage(api: IncusApi, wanted: Wanted, signal: AbortSignal): Promise<Finding> {
  const pool = wanted.pool ?? poolOf((await defaultProfile(api, signal)).devices);
  if (pool === undefined) {
    const hint = 'Set defaults.pool, or run "incus profile device add default root disk path=/ pool=POOL".';
    return failed({ message: 'The default profile has no root disk, so no sandbox can be made.', hint });
  }
  const { driver } = await api.read(`/storage-pools/${encodeURIComponent(pool)}`, poolSchema, { signal });
  return ok(`New sandboxes are on the pool "${pool}" (${driver}).`);
}

/** What a new sandbox is connected to: what the configuration says, or the default profile. */
async function network(api: IncusApi, wanted: Wanted, signal: AbortSignal): Promise<Finding> {
  if (wanted.network !== undefined) {
    await api.read(`/networks/${encodeURIComponent(wanted.network)}`, networkSchema, { signal });
    return ok(`New sandboxes are connected to "${wanted.network}".`);
  }
  const nic = Object.values((await defaultProfile(api, signal)).devices).find(({ type }) => type === 'nic');
  if (nic === undefined) {
    const advice = 'Set defaults.network, or run "incus profile device add default eth0 nic network=NETWORK".';
    return warning('The default profile has no network interface, so new sandboxes reach nothing.', advice);
  }
  return ok(`New sandboxes are connected to "${nic['network'] ?? nic['parent'] ?? nic['nictype'] ?? ''}".`);
}

async function image(api: IncusApi, { image: name }: Wanted, signal: AbortSignal): Promise<Finding> {
  if ((await localFingerprint(api, name, signal)) !== undefined) return ok(`"${name}" is on the server.`);
  return ok(`"${name}" is not on the server yet: the first sandbox fetches it from ${api.imageServer}.`);
}

const poolSchema = z.object({ driver: z.string() });

function defaultProfile(api: IncusApi, signal: AbortSignal): Promise<z.infer<typeof profileSchema>> {
  return api.read('/profiles/default', profileSchema, { signal });
}
