import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Accounts } from './access/accounts';
import { Roles } from './access/roles';
import { Tokens } from './access/tokens';
import { methodsOf } from './api';
import { openShell } from './api/shell';
import { selfSigned } from './host/certificate';
import { Cron } from './host/cron';
import { Downloads } from './host/downloads';
import { HostFiles } from './host/hostFiles';
import { HttpServer } from './host/httpServer';
import { HostNetwork } from './host/network';
import { containerMounts } from './host/containerMounts';
import { checkMachine, realNetwork } from './incus/machine';
import type { Nas } from './nas';
import { Shells } from './host/shell';
import { Containers } from './incus/containers';
import { IncusClient } from './incus/incusClient';
import { Instances } from './incus/instances';
import type { Profile, TrueNasServer, TrueNasServerOptions } from './interface';
import { wellBehaved, type Misbehaviour } from './misbehaviour';
import { Connection } from './rpc/connection';
import { Middleware } from './rpc/middleware';
import { Schemas } from './schema/schemas';
import { PoolLayout } from './zfs/layout';
import { ZfsPool, type IsBusy } from './zfs/pool';
import { StandInServer } from './zfs/standInServer';

const VERSIONS: Record<Profile, readonly string[]> = {
  '25.04.2': ['v25.04.0', 'v25.04.1', 'v25.04.2'],
  '25.10.5': [
    'v25.04.0',
    'v25.04.1',
    'v25.04.2',
    'v25.10.0',
    'v25.10.1',
    'v25.10.2',
    'v25.10.3',
    'v25.10.4',
    'v25.10.5',
  ],
  '26.0': ['v25.04.2', 'v25.10.0', 'v25.10.1', 'v25.10.2', 'v25.10.3', 'v25.10.4', 'v25.10.5', 'v26.0.0'],
};

/** Puts the parts together, and listens. */
export async function startNas(options: TrueNasServerOptions): Promise<TrueNasServer> {
  const { profile, socket, project, incusPool, pool: poolName = 'tank' } = options;
  const misbehave: Misbehaviour = { ...wellBehaved(), ...options.misbehave };
  const incus = new IncusClient(socket, project);
  await checkMachine(incus, incusPool);
  const directory = mkdtempSync(path.join(tmpdir(), 'pixels-nas-'));
  const hostRoot = path.join(directory, 'root');
  mkdirSync(hostRoot);
  const instances = new Instances(incus, misbehave);
  const layout = new PoolLayout(poolName, { profile, socket, incusPool, project });
  const isBusy: IsBusy = async (dataset) => {
    const instance = layout.instanceOf(dataset);
    return instance !== null && instances.isRunning(instance);
  };
  const isNew = (await instances.all()).length === 0; // then nothing that is left is anybody's
  const pool = await ZfsPool.open(layout, isBusy, isNew);
  const standIns = new StandInServer(pool, directory);
  const cron = new Cron(await standIns.start());
  const network = new HostNetwork(await realNetwork(incus), misbehave);
  const middleware = new Middleware(profile, misbehave, new Schemas(profile));
  const accounts = new Accounts(new Roles(profile));
  const tokens = new Tokens();
  const nas: Nas = {
    profile,
    poolName,
    incusPool,
    misbehave,
    middleware,
    accounts,
    tokens,
    instances,
    containers: new Containers(instances, pool, network.real.name),
    pool,
    cron,
    files: new HostFiles(hostRoot, containerMounts({ profile, incusPool, pool, instances }), layout),
    network,
    downloads: new Downloads(),
    shells: new Shells(tokens, misbehave, (request) => openShell(nas, request)),
  };
  middleware.offer(methodsOf(nas));

  const tls = selfSigned();
  const http = new HttpServer(
    {
      versions: VERSIONS[profile],
      bootId: randomUUID(),
      download: (url, address) => nas.downloads.take(url, address),
      api: (webSocket, origin) => void middleware.connections.add(new Connection(middleware, webSocket, origin)),
      shell: (webSocket, origin) => nas.shells.connected(webSocket, origin.address),
    },
    misbehave,
    tls,
  );
  const ports = await http.listen(options.port ?? 0);
  const root = accounts.add({}, 'root');

  return {
    host: '127.0.0.1',
    ...ports,
    certificate: tls.certificate,
    fingerprint: tls.fingerprint,
    ...root,
    misbehave,
    hostRoot,
    calls: middleware.calls,
    addKey: (key) => accounts.add(key),
    keyRevoked: (apiKey) => accounts.isRevoked(apiKey),
    call: (method, params = []) => middleware.callInternally(method, params),
    restartMiddleware: async ({ downMs = 0 } = {}) => {
      middleware.restart();
      tokens.clear();
      cron.killAll();
      await http.restart(downMs);
    },
    dropConnections: () => http.cutAll(),
    close: async () => {
      cron.killAll();
      await http.close();
      standIns.close();
      try {
        if ((await instances.all()).length === 0) await pool.erase();
      } finally {
        incus.close();
        rmSync(directory, { recursive: true, force: true });
      }
      const [bug] = middleware.bugs;
      if (bug) throw bug;
    },
  };
}
