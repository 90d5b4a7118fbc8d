import { newMac, type Container, type ContainerDevice } from '../incus/containers';
import { CallError, ERRNO, invalid, ValidationErrors } from '../rpc/errors';
import { method, type MethodTable } from '../rpc/method';
import type { QueryOptions, Row } from '../rpc/queryFilters';
import type { Nas } from '../nas';

/** `ContainerDeviceEntry`. */
export function deviceEntry(container: number, { id, attributes }: ContainerDevice): Row {
  return { id, attributes, container };
}

/** [stable/26] MW:plugins/container/devices.py. */
export function containerDeviceMethods(nas: Nas): MethodTable {
  const { containers, middleware, network } = nas;
  const [reading, writing] = [{ roles: ['CONTAINER_DEVICE_READ'] }, { roles: ['CONTAINER_DEVICE_WRITE'] }];
  const choices = (): { BRIDGE: string[]; MACVLAN: string[] } => ({
    BRIDGE: ['truenasbr0', ...network.bridges],
    MACVLAN: network.parents.filter((name) => !network.bridges.includes(name)),
  });

  async function rows(): Promise<Row[]> {
    return (await containers.all()).flatMap(({ id, devices }) => devices.map((device) => deviceEntry(id, device)));
  }

  async function find(id: number): Promise<{ container: Container; device: ContainerDevice }> {
    for (const container of await containers.all()) {
      const device = container.devices.find((own) => own.id === id);
      if (device) return { container, device };
    }
    throw new ValidationErrors([[null, `ContainerDevice ${id} does not exist`, ERRNO.ENOENT]], 'InstanceNotFound');
  }

  /** With what a NIC without them gets. */
  function complete(schema: string, attributes: ContainerDevice['attributes']): ContainerDevice['attributes'] {
    if (attributes.dtype !== 'NIC') throw new CallError(`The test server has no ${attributes.dtype} devices`);
    const { nic_attach: attach, mac, type, trust_guest_rx_filters: trust } = attributes;
    const known = [...choices().BRIDGE, ...choices().MACVLAN];
    if (typeof attach === 'string' && !known.includes(attach)) {
      throw invalid(`${schema}.attributes.nic_attach`, 'Not a valid choice.');
    }
    return {
      dtype: 'NIC',
      trust_guest_rx_filters: trust ?? false,
      type: type ?? 'E1000',
      nic_attach: attach ?? null,
      mac: mac ?? newMac(),
    };
  }

  return {
    'container.device.query': method<[unknown[], QueryOptions]>(reading, async ([filters, options]) =>
      middleware.query('container.device.query', await rows(), filters, options),
    ),
    'container.device.get_instance': method<[number]>(reading, async ([id]) => {
      const { container, device } = await find(id);
      return deviceEntry(container.id, device);
    }),
    'container.device.create': method<[{ container: number; attributes: ContainerDevice['attributes'] }]>(
      writing,
      async ([{ container: id, attributes }]) => {
        const container = await containers.get(id);
        const device = {
          id: await containers.nextDeviceId(),
          attributes: complete('container_device_create', attributes),
        };
        await containers.write(container, { devices: [...container.devices, device] });
        return deviceEntry(id, device);
      },
    ),
    'container.device.update': method<[number, { attributes?: ContainerDevice['attributes'] }]>(
      writing,
      async ([id, { attributes }]) => {
        const { container, device } = await find(id);
        const changed = {
          id,
          attributes: complete('container_device_update', { ...device.attributes, ...attributes }),
        };
        await containers.write(container, { devices: container.devices.map((own) => (own.id === id ? changed : own)) });
        return deviceEntry(container.id, changed);
      },
    ),
    'container.device.delete': method<[number]>(writing, async ([id]) => {
      const { container } = await find(id);
      await containers.write(container, { devices: container.devices.filter((own) => own.id !== id) });
      return true;
    }),
    'container.device.nic_attach_choices': method(reading, choices),
  };
}
