import type { Profile } from '../interface';

/** An instance as Incus gives it with recursion 2 (api 1.0), as far as anything here reads it. */
export interface IncusInstance {
  readonly name: string;
  readonly type: string;
  readonly status: string;
  readonly config: Record<string, string>;
  readonly devices: Record<string, Record<string, string>>;
  readonly expanded_devices: Record<string, Record<string, string>>;
  readonly state?: {
    readonly status: string;
    readonly pid: number;
    readonly network: Record<string, { addresses: readonly Address[] }> | null;
  } | null;
}

interface Address {
  readonly family: string;
  readonly address: string;
  readonly netmask: string;
  readonly scope: string;
}

export interface EntryOptions {
  readonly profile: Profile;
  readonly storagePool: string;
  readonly withRaw: boolean;
  /** Addresses are not told yet. */
  readonly hidesAddresses: boolean;
}

/** `VirtInstanceEntry` (MW:plugins/virt/instance.py `query`). */
export function instanceEntry(instance: IncusInstance, options: EntryOptions): Record<string, unknown> {
  const { config } = instance;
  const secureboot = config['image.requirements.secureboot'];
  const shown = options.hidesAddresses ? withoutAddresses(instance) : instance;
  return {
    id: instance.name,
    name: instance.name,
    type: 'CONTAINER',
    status: instance.state ? instance.state.status.toUpperCase() : 'UNKNOWN',
    cpu: config['limits.cpu'] ?? null,
    memory: mebibytes(config['limits.memory']),
    autostart: config['user.autostart'] === 'true',
    environment: environment(config),
    aliases: aliases(shown),
    image: {
      ...Object.fromEntries(IMAGE_FIELDS.map((field) => [field, config[`image.${field}`] ?? null])),
      secureboot: secureboot === undefined ? null : secureboot === 'true',
    },
    userns_idmap: idmap(config['volatile.idmap.current'], options.profile),
    raw: options.withRaw ? { ...shown, project: 'default' } : null,
    vnc_enabled: false,
    vnc_port: null,
    vnc_password: null,
    secure_boot: null,
    ...(options.profile === '25.10.5' ? { privileged_mode: config['security.privileged'] === 'true' } : {}),
    root_disk_size: null,
    root_disk_io_bus: null,
    storage_pool: options.storagePool,
  };
}

/** As before DHCP has answered: of each interface only what it gives itself. */
function withoutAddresses(instance: IncusInstance): IncusInstance {
  const { state } = instance;
  if (!state?.network) return instance;
  const network = Object.entries(state.network).map(([name, link]) => {
    const addresses = link.addresses.filter(({ scope }) => scope !== 'global');
    return [name, { ...link, addresses }] as const;
  });
  return { ...instance, state: { ...state, network: Object.fromEntries(network) } };
}

const IMAGE_FIELDS = ['architecture', 'description', 'os', 'release', 'serial', 'type', 'variant'];

function mebibytes(limit: string | undefined): number | null {
  return limit?.endsWith('MiB') ? Number(limit.slice(0, -3)) * 1024 * 1024 : null;
}

function environment(config: Readonly<Record<string, string>>): Record<string, string> {
  const own = Object.entries(config).filter(([key]) => key.startsWith('environment.'));
  return Object.fromEntries(own.map(([key, value]) => [key.slice('environment.'.length), value]));
}

/** Every global address of every interface, those of bridges inside the container included. */
export function aliases({ state }: IncusInstance): { type: string; address: string; netmask: number | null }[] {
  const addresses = Object.values(state?.network ?? {}).flatMap((network) => network.addresses);
  return addresses
    .filter(({ scope }) => scope === 'global')
    .map(({ family, address, netmask }) => ({
      type: family.toUpperCase(),
      address,
      netmask: netmask ? Number(netmask) : null,
    }));
}

interface Idmap {
  readonly Isuid: boolean;
  readonly Isgid: boolean;
  readonly Hostid: number;
  readonly Nsid: number;
  readonly Maprange: number;
}

function idmap(current: string | undefined, profile: Profile): unknown {
  const entries = current ? (JSON.parse(current) as Idmap[]) : [];
  const side = (entry: Idmap | undefined): unknown =>
    entry ? { hostid: entry.Hostid, maprange: entry.Maprange, nsid: entry.Nsid } : null;
  const [uid, gid] = [side(entries.find(({ Isuid }) => Isuid)), side(entries.find(({ Isgid }) => Isgid))];
  if (uid === null && (gid === null || profile === '25.04.2')) return null; // 25.04's model has no null in there
  return { uid, gid };
}
