import { method, type MethodTable } from '../rpc/method';
import type { Nas } from '../nas';
import { same } from './virtGlobal';

interface Config {
  readonly preferred_pool?: string | null;
  readonly bridge?: string | null;
  readonly v4_network?: string;
  readonly v6_network?: string;
}

/** 26: [stable/26] MW:plugins/container/config.py. */
export function lxcMethods(nas: Nas): MethodTable {
  const { network, poolName } = nas;
  let config: Config & { id: number } = {
    id: 1,
    preferred_pool: poolName,
    bridge: null,
    v4_network: network.real.address.replace(/\.\d+\//, '.0/'),
    v6_network: 'fd42:4c58:43ae::/64',
  };
  return {
    'lxc.config': method({ roles: ['LXC_CONFIG_READ'] }, () => config),
    'lxc.update': method<[Config | undefined]>({ roles: ['LXC_CONFIG_WRITE'] }, ([changes]) => {
      config = { ...config, ...changes };
      return config;
    }),
    'lxc.bridge_choices': method({ roles: ['LXC_CONFIG_READ'] }, () => ({
      '[AUTO]': 'Automatic',
      ...same(network.bridges),
    })),
  };
}
