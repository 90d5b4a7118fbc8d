import { notFound } from '../rpc/errors';
import { method, type MethodTable } from '../rpc/method';
import type { QueryOptions } from '../rpc/queryFilters';
import type { Nas } from '../nas';

/** MW:plugins/network.py and MW:plugins/network_/general.py. */
export function networkMethods(nas: Nas): MethodTable {
  const { network, middleware } = nas;
  const roles = ['NETWORK_INTERFACE_READ'];
  return {
    'interface.query': method<[unknown[], QueryOptions]>({ roles }, ([filters, options]) =>
      middleware.query('interface.query', network.interfaces(), filters, options),
    ),
    'interface.get_instance': method<[string]>({ roles }, ([id]) => {
      const found = network.interfaces().find((row) => row.id === id);
      if (!found) throw notFound(`Interface ${id}`);
      return found;
    }),
    'network.general.summary': method({ roles: ['NETWORK_GENERAL_READ'] }, () => network.summary()),
  };
}
