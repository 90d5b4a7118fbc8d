import { deviceToIncus, freeDeviceName, incusToDevice, type Device, type IncusDevice } from '../incus/devices';
import { CallError } from '../rpc/errors';
import { method, type MethodTable } from '../rpc/method';
import type { Nas } from '../nas';
import { validateDevice } from './validateDevice';
import { same } from './virtGlobal';

const WRITING = { roles: ['VIRT_INSTANCE_WRITE'] };

/** MW:plugins/virt/instance_device.py and device.py. */
export function virtDeviceMethods(nas: Nas): MethodTable {
  const { instances, network } = nas;
  const roles = ['VIRT_INSTANCE_READ'];

  async function devicesOf(id: string): Promise<Record<string, IncusDevice>> {
    return { ...(await instances.get(id)).devices };
  }

  return {
    'virt.instance.device_list': method<[string]>({ roles }, async ([id]) => {
      const own = await devicesOf(id);
      const profile = (await instances.incus.call('GET', '/1.0/profiles/default')) as {
        devices: Record<string, IncusDevice>;
      };
      return Object.entries({ ...profile.devices, ...own })
        .filter(([name]) => name !== 'root' || name in own) // the default profile of a NAS has no root disk
        .map(([name, device]) => incusToDevice(name, device, { isReadonly: !(name in own), pool: nas.poolName }))
        .filter((device) => device !== null);
    }),
    'virt.instance.device_add': method<[string, Device]>(WRITING, async ([id, device]) => {
      const devices = await devicesOf(id);
      validateDevice(nas, device, 'virt_device_add');
      const name = device.name ?? freeDeviceName(Object.keys(devices), device.dev_type);
      await instances.change(id, { devices: { ...devices, [name]: deviceToIncus(device, network) } });
      return true;
    }),
    'virt.instance.device_update': method<[string, Device]>(WRITING, async ([id, device]) => {
      const devices = await devicesOf(id);
      if (!device.name || !(device.name in devices)) throw new CallError('Device does not exist.', 'ENOENT');
      validateDevice(nas, device, 'virt_device_update');
      await instances.change(id, { devices: { ...devices, [device.name]: deviceToIncus(device, network) } });
      return true;
    }),
    'virt.instance.device_delete': method<[string, string]>({ roles: ['VIRT_INSTANCE_DELETE'] }, async ([id, name]) => {
      const { [name]: removed, ...devices } = await devicesOf(id);
      if (!removed) throw new CallError('Device not found.', 'ENOENT');
      await instances.change(id, { devices });
      return true;
    }),
    'virt.device.nic_choices': method<['BRIDGED' | 'MACVLAN']>({ roles }, ([type]) =>
      same(type === 'BRIDGED' ? network.bridges : network.parents),
    ),
    'virt.device.disk_choices': method({ roles }, () => ({})),
  };
}
