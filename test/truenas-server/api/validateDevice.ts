import type { Device } from '../incus/devices';
import { CallError, invalid } from '../rpc/errors';
import type { Nas } from '../nas';

/** MW:plugins/virt/instance_device.py `validate_device`; the parent of a MACVLAN is not looked at. */
export function validateDevice(nas: Nas, device: Device, schema: string): void {
  const { dev_type: type, nic_type: nicType, parent, source } = device as Record<string, unknown>;
  if (type === 'NIC' && nicType === 'BRIDGED' && !nas.network.bridges.includes(String(parent))) {
    throw invalid(schema, 'Invalid parent interface');
  }
  if (
    type === 'DISK' &&
    typeof source === 'string' &&
    source.startsWith('/mnt/') &&
    source !== `/mnt/${nas.poolName}`
  ) {
    throw invalid(schema, 'Source must be a dataset mountpoint.');
  }
  if (type === 'CDROM' || type === 'PCI') throw new CallError(`${type} devices are for VMs`);
}
