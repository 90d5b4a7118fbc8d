import { CallError } from '../rpc/errors';
import { method, type MethodTable } from '../rpc/method';
import type { Nas } from '../nas';

interface Update {
  readonly pool?: string | null;
  readonly bridge?: string | null;
  readonly storage_pools?: readonly string[] | null;
}

/** MW:plugins/virt/global.py. */
export function virtGlobalMethods(nas: Nas): MethodTable {
  const { misbehave, middleware, network, poolName } = nas;
  const roles = ['VIRT_GLOBAL_READ'];
  let bridge: string | null = null;

  function config(): unknown {
    const hasPool = misbehave.virtState !== 'NO_POOL';
    return {
      id: 1,
      pool: hasPool ? poolName : null,
      dataset: hasPool ? `${poolName}/.ix-virt` : null,
      storage_pools: hasPool ? [poolName] : [],
      bridge,
      v4_network: hasPool && bridge === null ? network.real.address : null,
      v6_network: null,
      state: misbehave.virtState,
    };
  }

  return {
    'virt.global.config': method({ roles }, config),
    'virt.global.update': method<[Update]>({ roles: ['VIRT_GLOBAL_WRITE'], job: {} }, ([changes]) => {
      const { pool } = changes;
      if (pool !== undefined && pool !== null && pool !== poolName) {
        throw new CallError(`Pool ${pool} does not exist`);
      }
      if (changes.bridge !== undefined) bridge = changes.bridge === '[AUTO]' ? null : changes.bridge;
      if (pool !== undefined) misbehave.virtState = pool === null ? 'NO_POOL' : 'INITIALIZED';
      middleware.tell('virt.global.config', 'changed', 1, config());
      return config();
    }),
    'virt.global.pool_choices': method({ roles }, () => ({ '[DISABLED]': '[Disabled]', [poolName]: poolName })),
    'virt.global.bridge_choices': method({ roles }, () => ({ '[AUTO]': 'Automatic', ...same(network.bridges) })),
    'virt.global.get_network': method<[string]>({ roles }, ([name]) => {
      if (name !== 'incusbr0') throw new CallError(`Network ${name} not found`, 'ENOENT');
      const [ipv4, ipv6] = [network.real.address, 'none'];
      return { type: 'BRIDGE', managed: true, ipv4_address: ipv4, ipv4_nat: true, ipv6_address: ipv6, ipv6_nat: false };
    }),
  };
}

/** Choices whose labels are the values. */
export function same(values: readonly string[]): Record<string, string> {
  return Object.fromEntries(values.map((value) => [value, value]));
}
