import { isKind, PixelsError } from '../../sandbox/errors';
import { gatewayMac, GATEWAY_NETWORK, type GatewaySpec } from '../../sandbox/gateway';
import type { Run } from '../../sandbox/host';
import { whenNotBusy } from '../../sandbox/patience';
import type { IncusApi } from '../api';
import { placedDevices } from '../create';
import { isRefusal } from '../errors';
import { explainImageError, imageSource } from '../images';
import { change } from '../operation';
import { instancePath } from '../state';
import { instanceSchema, networkSchema, networkUseSchema, type Instance } from '../wire';
import { gatewayMachine, gatewayNetwork, VERSION_KEY } from './names';

/** Makes the network of a project's gateway where it is missing. Nothing on it has an address that Incus gives. */
export async function ensureNetwork(api: IncusApi, run: Run = {}): Promise<string> {
  const network = await gatewayNetwork(api);
  const path = `/networks/${network}`;
  const found = await unlessMissing(api.read(path, networkSchema, { signal: run.signal }));
  if (found?.managed === true) return network;
  const body = {
    name: network,
    type: 'bridge',
    description: 'Sandboxes of Pixels whose only way out is their gateway',
    config: { 'ipv4.address': 'none', 'ipv6.address': 'none' },
  };
  try {
    await change(api, 'POST', '/networks', { body, run });
  } catch (error) {
    // Somebody else may have been first.
    if ((await unlessMissing(api.read(path, networkSchema)))?.managed !== true) throw cannotMake(error);
  }
  return network;
}

/** See `GatewayHost.ensure`. */
export async function ensureMachine(
  api: IncusApi,
  network: string,
  spec: GatewaySpec,
  run: Run = {},
): Promise<boolean> {
  const machine = gatewayMachine(api.project);
  const found = await find(api, machine, run);
  const isStale = found !== undefined && found.config[VERSION_KEY] !== spec.version;
  if (isStale) await remove(api, machine);
  const isNew = found === undefined || isStale;
  if (isNew) await make(api, machine, network, spec, run);
  if (isNew || found.status_code !== RUNNING) await start(api, machine, run);
  return isNew;
}

/** See `GatewayHost.removeUnused`. */
export async function removeUnused(api: IncusApi, run: Run = {}): Promise<void> {
  const machine = gatewayMachine(api.project);
  const path = `/networks/${await gatewayNetwork(api)}`;
  const found = await unlessMissing(api.read(path, networkUseSchema, { signal: run.signal }));
  if (found === undefined) return;
  const others = found.used_by.filter((user) => !new URL(user, 'http://incus').pathname.endsWith(`/${machine}`));
  if (others.length > 0) return;
  if ((await find(api, machine, run)) !== undefined) await remove(api, machine);
  try {
    await change(api, 'DELETE', path, {});
  } catch (error) {
    // Gone already, or a sandbox has come meanwhile, which will have a gateway made.
    const isUsed = error instanceof PixelsError && error.kind !== 'unreachable';
    if (!isUsed) throw error;
  }
}

const RUNNING = 103;

async function make(api: IncusApi, machine: string, network: string, spec: GatewaySpec, run: Run): Promise<void> {
  const { image, placement, version } = spec;
  run.onProgress?.({ message: 'Making the gateway of restricted sandboxes' });
  const [source, devices] = await Promise.all([
    imageSource(api, image, run.signal),
    placedDevices(api, placement, run.signal),
  ]);
  const body = {
    name: machine,
    type: 'container',
    description: 'Filters what sandboxes of Pixels may reach; made and removed by it',
    source,
    config: {
      [VERSION_KEY]: version,
      'boot.autostart': 'true',
      'boot.autostart.priority': '100',
      'security.guestapi': 'false',
    },
    // The same for each one that is made: sandboxes remember it.
    devices: {
      ...devices,
      inner: { type: 'nic', network, name: 'inner', hwaddr: gatewayMac(GATEWAY_NETWORK.gateway) },
    },
  };
  try {
    await whenNotBusy(() => change(api, 'POST', '/instances', { body, about: { image }, run }), run.signal);
  } catch (error) {
    // Where two make it at once, one is first.
    if (!isKind(error, 'exists')) throw await explainImageError(api, image, error);
  }
}

async function start(api: IncusApi, machine: string, run: Run): Promise<void> {
  try {
    await whenNotBusy(() => setState(api, machine, { action: 'start' }, run), run.signal);
  } catch (error) {
    if (!isRefusal(error, 'already-running')) throw error;
  }
}

async function remove(api: IncusApi, machine: string): Promise<void> {
  try {
    await setState(api, machine, { action: 'stop', force: true }).catch((error: unknown) => {
      if (!isRefusal(error, 'already-stopped')) throw error;
    });
    await change(api, 'DELETE', instancePath(machine), {});
  } catch (error) {
    if (!isKind(error, 'not-found')) throw error;
  }
}

function setState(api: IncusApi, machine: string, body: object, run: Run = {}): Promise<void> {
  return change(api, 'PUT', `${instancePath(machine)}/state`, { body, run });
}

function find(api: IncusApi, machine: string, { signal }: Run): Promise<Instance | undefined> {
  return unlessMissing(api.read(instancePath(machine), instanceSchema, { signal }));
}

async function unlessMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isKind(error, 'not-found')) return undefined;
    throw error;
  }
}

function cannotMake(error: unknown): unknown {
  if (!isKind(error, 'forbidden')) return error;
  return new PixelsError('forbidden', 'You may not make the network that gateway enforcement needs.', {
    hint: 'Have it allowed on the server, or set network.enforcement = "guest".',
    cause: error,
  });
}
