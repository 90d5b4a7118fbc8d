import type { GatewayHost } from '../../sandbox/gateway';
import { instanceName } from '../../sandbox/name';
import type { IncusApi } from '../api';
import { exec } from '../exec';
import { instancePath } from '../state';
import { instanceSchema, serverSchema } from '../wire';
import { ensureMachine, ensureNetwork, removeUnused } from './machine';
import { gatewayMachine } from './names';
import { addressIn, attach, detach } from './nic';

/** See `SandboxHost.gateway`: a managed bridge without addresses, and a container with one leg on it. */
export function gatewayHost(api: IncusApi): GatewayHost {
  return {
    async lack(signal) {
      const { environment } = await api.read('', serverSchema, { signal });
      if (environment?.server_clustered !== true) return undefined;
      return 'Gateway enforcement needs an Incus server that is no cluster.';
    },
    attach: async (name, run) => attach(api, await ensureNetwork(api, run), name, run),
    detach: (name, run) => detach(api, name, run),
    addressOf: async (name, signal) =>
      addressIn(await api.read(instancePath(instanceName(name)), instanceSchema, { about: { name }, signal })),
    async ensure(spec, run) {
      return ensureMachine(api, await ensureNetwork(api, run), spec, run);
    },
    exec: (request, signal) => exec(api, gatewayMachine(api.project), {}, request, signal),
    removeUnused: (run) => removeUnused(api, run),
  };
}
