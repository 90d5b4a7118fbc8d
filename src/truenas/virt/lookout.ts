import { nameOfInstance } from '../../sandbox/name';
import type { TrueNasApi } from '../api';
import type { Glimpse, Lookout } from '../common/watch';
import { findInstance, readInstances } from './instances';
import { addressesOf, statusOf } from './sandboxes';
import type { Instance } from './wire';

/** How a watch looks at the instances of `virt.*`. */
export function lookout(api: TrueNasApi): Lookout {
  return {
    // Its events have the names of instances as ids, and sometimes a status.
    subscribe: (listener) =>
      api.subscribe('virt.instance.query', ({ kind, id, fields: { status } }) => {
        const name = nameOfInstance(String(id));
        const mayRun = kind !== 'removed' && (status === undefined || status === 'RUNNING');
        if (name !== undefined) listener({ name, mayRun });
      }),
    async all() {
      return new Map((await readInstances(api)).map(({ name, instance }) => [name, glimpse(instance)]));
    },
    async one(name) {
      const instance = await findInstance(api, name);
      return instance === undefined ? undefined : glimpse(instance);
    },
  };
}

function glimpse(instance: Instance): Glimpse {
  return { status: statusOf(instance), addresses: addressesOf(instance) };
}
