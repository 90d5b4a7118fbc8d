import type { Log } from '../../sandbox/log';
import type { TrueNasApi } from '../api';
import { chosenNic, type Nic, type NicOption } from '../common/nic';
import { attachChoicesSchema, type Device } from './wire';

/** What a device of a container is, as `container.device.create` takes it. */
export type Attributes = Readonly<Record<string, unknown>> & { readonly dtype: string };

/** The devices of a new container. Without a NIC, it is connected to the server's own bridge by NAT. */
export async function nicDevices(
  api: TrueNasApi,
  choice: {
    readonly network: string | undefined;
    readonly nic: NicOption;
    readonly bridge: string | null | undefined;
    readonly log: Log;
  },
  signal?: AbortSignal,
): Promise<Attributes[]> {
  let offered: Promise<Readonly<Record<'BRIDGE' | 'MACVLAN', readonly string[]>>> | undefined;
  const choices = async (kind: Nic['nicType']): Promise<readonly string[]> => {
    offered ??= api.call('container.device.nic_attach_choices', [], attachChoicesSchema, { signal });
    return (await offered)[kind === 'BRIDGED' ? 'BRIDGE' : 'MACVLAN'];
  };
  const nic = await chosenNic(api, { ...choice, choices }, signal);
  if (nic === undefined) return [];
  const isChosenHere = choice.network === undefined && choice.nic === 'auto';
  if (isChosenHere && !(await choices(nic.nicType)).includes(nic.parent)) {
    choice.log.warn(`TrueNAS connects no container to ${nic.parent}: sandboxes are connected by NAT`);
    return [];
  }
  return [attributesOf(nic)];
}

/** A source's own NICs and shared directories, without the NICs' addresses. Not what only one at a time can have. */
export function inherited({ attributes }: Device): Attributes[] {
  const { dtype, nic_attach, type, source, target } = attributes;
  if (dtype === 'NIC') return [{ dtype, type: type ?? 'VIRTIO', nic_attach: nic_attach ?? null }];
  return dtype === 'FILESYSTEM' && source && target ? [{ dtype, source, target }] : [];
}

/** Bridged or macvlan: the server sees it by the kind of the interface. */
function attributesOf({ parent, mac }: Nic): Attributes {
  return { dtype: 'NIC', type: 'VIRTIO', nic_attach: parent, ...(mac === undefined ? {} : { mac }) };
}
