import { CallError } from '../rpc/errors';
import type { HostNetwork } from '../host/network';

/** A device as clients give it; the schemas know what each kind has. */
export interface Device {
  readonly name?: string | null;
  readonly dev_type: string;
  readonly [field: string]: unknown;
}

export type IncusDevice = Readonly<Record<string, string>>;

/** What a NIC was asked to be, which the real network here does not show. */
const ASKED_TYPE = 'user.nic_type';
const ASKED_PARENT = 'user.parent';

/**
 * MW:plugins/virt/instance_device.py `device_to_incus`. A NIC sits on the managed bridge whatever it was asked to be: the NAS's own
 * interfaces are invented, and MACVLAN needs a network card that passes frames for strange addresses, which a machine that runs tests
 * seldom has. With a parent that the NAS does not have either, MACVLAN is left to Incus, which fails at the start.
 */
export function deviceToIncus(device: Device, network: HostNetwork): IncusDevice {
  switch (device.dev_type) {
    case 'NIC':
      return nic(device, network);
    case 'PROXY':
      return proxy(device);
    case 'DISK':
      return disk(device);
    default:
      throw new CallError(`The test server has no ${device.dev_type} devices`);
  }
}

/** `incus_to_device`: null for what the API does not show. */
export function incusToDevice(
  name: string,
  incus: IncusDevice,
  { isReadonly, pool }: { isReadonly: boolean; pool: string },
): unknown {
  const common = { name, readonly: isReadonly };
  switch (incus.type) {
    case 'disk':
      return {
        ...common,
        description: `${incus.source ?? 'None'} -> ${incus.path ?? 'None'}`,
        dev_type: 'DISK',
        source: incus.source ?? null,
        destination: incus.path ?? null,
        boot_priority: null,
        io_bus: null,
        storage_pool: incus.pool === undefined ? null : pool,
      };
    case 'nic': {
      const isAsked = incus[ASKED_TYPE] !== undefined;
      return {
        ...common,
        description: isAsked ? null : (incus.network ?? null),
        dev_type: 'NIC',
        network: isAsked ? null : (incus.network ?? null),
        nic_type: incus[ASKED_TYPE] ?? null,
        parent: incus[ASKED_PARENT] ?? null,
      };
    }
    case 'proxy': {
      const [sourceProto, , sourcePort] = (incus.listen ?? '').split(':');
      const [destProto, , destPort] = (incus.connect ?? '').split(':');
      return {
        ...common,
        description: `${sourceProto?.toUpperCase() ?? ''}/${sourcePort ?? ''} -> ${destProto?.toUpperCase() ?? ''}/${destPort ?? ''}`,
        dev_type: 'PROXY',
        source_proto: sourceProto?.toUpperCase(),
        source_port: Number(sourcePort),
        dest_proto: destProto?.toUpperCase(),
        dest_port: Number(destPort),
      };
    }
    default:
      return null;
  }
}

/** The name for one without: `eth0` for the first NIC, so that it takes the place of the profile's. */
export function freeDeviceName(taken: readonly string[], type: string): string {
  const prefix = type === 'NIC' ? 'eth' : type.toLowerCase();
  for (let index = 0; ; index += 1) {
    if (!taken.includes(`${prefix}${index}`)) return `${prefix}${index}`;
  }
}

function nic(device: Device, network: HostNetwork): IncusDevice {
  const {
    nic_type: type,
    parent,
    mac,
  } = device as { nic_type?: string | null; parent?: string | null; mac?: string | null };
  // Python's own words: null is not checked before `device['nic_type'].lower()`.
  if (type === undefined || type === null) throw new TypeError("'NoneType' object has no attribute 'lower'");
  const address: IncusDevice = mac ? { hwaddr: mac } : {};
  if (type === 'MACVLAN' && !network.parents.includes(parent ?? '')) {
    return { type: 'nic', nictype: 'macvlan', parent: parent ?? '', ...address };
  }
  return { type: 'nic', network: network.real.name, [ASKED_TYPE]: type, [ASKED_PARENT]: parent ?? '', ...address };
}

function proxy(device: Device): IncusDevice {
  const { source_proto, source_port, dest_proto, dest_port } = device as Record<string, unknown>;
  return {
    type: 'proxy',
    bind: 'host',
    listen: `${String(source_proto).toLowerCase()}:0.0.0.0:${String(source_port)}`,
    connect: `${String(dest_proto).toLowerCase()}:0.0.0.0:${String(dest_port)}`,
  };
}

function disk(device: Device): IncusDevice {
  const { source, destination } = device as { source?: string | null; destination?: string | null };
  if (!source?.startsWith('/mnt/')) throw new CallError('Only pool paths are allowed.');
  if (!destination) throw new CallError('Destination is required for filesystem paths.');
  return { type: 'disk', source, path: destination };
}
