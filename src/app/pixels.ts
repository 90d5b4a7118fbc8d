import os from 'node:os';
import path from 'node:path';
import { configPath, incusConnection, incusServer, trueNasServer, type Config } from '../config';
import { egressOf, type Egress } from '../egress';
import { guestSetup, type RecipePlaces, type Surroundings } from '../provision';
import type { Bases } from '../sandbox/bases';
import { PixelsError } from '../sandbox/errors';
import type { SandboxHost } from '../sandbox/host';
import { Inventory } from '../sandbox/inventory';
import { Lifecycle } from '../sandbox/lifecycle';
import type { Log } from '../sandbox/log';
import type { Sandbox } from '../sandbox/sandbox';
import { basesOf } from './bases';
import { npmRegistry } from './npmRegistry';
import { acceptedNames, aliasOf, SshIntegration, type HostEntry } from '../ssh';
import { environmentOf, type Environment } from './environment';
import { gatewayFor } from './gatewayFor';

export interface PixelsOptions {
  readonly config: Config;
  readonly log: Log;
  /** The directory with the built tunnels. */
  readonly dist: string;
  /** The API key for a TrueNAS, when the configuration has none; asked for only then. */
  readonly apiKey?: (() => Promise<string | undefined>) | undefined;
  /** The secrets that an editor keeps for sandboxes, by their names; asked for each time. */
  readonly secrets?: (() => Promise<Readonly<Record<string, string>>>) | undefined;
  /** Default: the home directory. */
  readonly home?: string | undefined;
  /** Where the person's SSH configuration is, when not ~/.ssh/config. */
  readonly userSshConfig?: string | undefined;
}

/** How to reach a sandbox over SSH. `host` is what to connect to without the alias; absent while it has no address. */
export interface SshTarget {
  readonly alias: string;
  readonly host: string | undefined;
  readonly user: string;
  readonly port: number;
}

/** All parts for one server, wired together: what both faces work with. */
export interface Pixels {
  readonly config: Config;
  readonly host: SandboxHost;
  readonly lifecycle: Lifecycle;
  readonly egress: Egress;
  readonly bases: Bases;
  readonly inventory: Inventory;
  readonly ssh: SshIntegration;
  /** What `[env]` and the secrets give to sessions, as it is now. */
  environment(): Promise<Environment>;
  /** Where recipes are found. */
  readonly recipePlaces: RecipePlaces;
  /** Writes ~/.ssh/pixels so that every given sandbox can be reached; never touches the person's own configuration. */
  syncSsh(sandboxes: readonly Sandbox[]): Promise<void>;
  sshOf(sandbox: Sandbox): SshTarget;
  close(): void;
}

/**
 * Wires the parts for the configured server. Nothing is connected yet, and only the adapter in use is loaded.
 * @throws PixelsError `config`, `unsupported`.
 */
export async function openPixels(options: PixelsOptions): Promise<Pixels> {
  const { config, log, secrets } = options;
  const host = await openHost(options);
  const ssh = openSsh(options);
  const publicKey = async (): Promise<string> => (await ssh.ensureKeyPair()).publicKey;
  const keptSecrets = async () => {
    const values = await secrets?.();
    return { values, names: values === undefined ? await ssh.secretNames() : Object.keys(values) };
  };
  const environment = async (): Promise<Environment> => {
    const { values = {}, names } = await keptSecrets();
    return environmentOf(config, values, names);
  };
  const recipePlaces = { directory: path.join(path.dirname(configPath()), 'recipes'), bases: config.bases };
  const egress = egressOf({
    presetFile: path.join(path.dirname(configPath()), 'egress.toml'),
    mode: config.network.egress,
    allow: config.network.allow,
    enforcement: config.network.enforcement,
    gateway: () => Promise.resolve(gatewayFor(config)),
  });
  const guest = {
    user: config.ssh.user,
    recipeDirectory: recipePlaces.directory,
    bases: config.bases,
    npmRegistry: () => npmRegistry(config.provision.npmRegistry),
    surroundings: async () => surroundingsOf(config, await environment()),
  };
  return {
    config,
    host,
    lifecycle: new Lifecycle(host, guestSetup({ ...guest, publicKey }), egress),
    egress,
    bases: basesOf(host, config, guest),
    recipePlaces,
    inventory: new Inventory(host, log),
    ssh,
    environment,
    async syncSsh(sandboxes) {
      const { values, names } = await keptSecrets();
      const entries = sandboxes.filter((sandbox) => sandbox.state.sshUser !== undefined);
      await ssh.sync(
        entries.map((sandbox) => hostEntry(sandbox, config)),
        { ...(config.backend === 'truenas' ? trueNasServer(config) : await incusServer(config)) },
        {
          environment: environmentOf(config, values ?? {}, names).ssh,
          secretNames: values === undefined ? undefined : names,
        },
      );
    },
    sshOf: (sandbox) => ({
      alias: aliasOf(sandbox.name),
      host: sandbox.addresses[0],
      user: sandbox.state.sshUser ?? config.ssh.user,
      port: 22,
    }),
    close: () => host.close(),
  };
}

/** What is on the person's own side. It needs no server. */
export function openSsh({ config, log, dist, home, userSshConfig }: PixelsOptions): SshIntegration {
  return new SshIntegration({
    build: dist,
    key: config.ssh.key,
    home: home ?? os.homedir(),
    userConfigPath: userSshConfig,
    log,
  });
}

async function openHost({ config, log, apiKey }: PixelsOptions): Promise<SandboxHost> {
  if (config.backend === 'truenas') {
    const { openTrueNas } = await import('./trueNas');
    const { linkedClones } = config.truenas;
    const { pool } = config.defaults;
    const key = config.truenas.apiKey ?? (await apiKey?.());
    return openTrueNas(trueNasServer(config), { apiKey: key, log, nic: nicOf(config), pool, linkedClones });
  }
  const { connectIncus } = await import('../incus');
  return connectIncus(await incusConnection(config), { log });
}

function nicOf({ defaults: { nicType, parent } }: Config) {
  if (nicType === undefined) return 'auto';
  if (nicType === 'NAT') return 'nat';
  if (parent !== undefined) return { nicType, parent };
  throw new PixelsError('config', 'defaults.nic_type is set without defaults.parent.', {
    hint: 'Name the interface of the NAS as defaults.parent, or leave both out.',
  });
}

function surroundingsOf({ provision, defaults: { dns } }: Config, { written, ssh }: Environment): Surroundings {
  const { caCertificates, proxy, noProxy } = provision;
  return {
    environment: written,
    acceptedNames: acceptedNames(ssh),
    authorityFiles: caCertificates,
    proxy,
    noProxy,
    dns,
  };
}

function hostEntry({ name, state, addresses, isBehindGateway }: Sandbox, config: Config): HostEntry {
  return {
    name,
    user: state.sshUser ?? config.ssh.user,
    hostKey: state.hostKey,
    address: addresses[0],
    // "auto" is the tunnel: it needs no address and starts a stopped sandbox on the way.
    transport: config.ssh.transport === 'direct' && isBehindGateway !== true ? 'direct' : 'tunnel',
  };
}
