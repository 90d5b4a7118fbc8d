import { nameOfInstance, type SandboxName } from '../../sandbox/name';
import type { CollectionEvent, TrueNasApi } from '../api';
import type { Glimpse, Lookout } from '../common/watch';
import type { Addresses } from './addresses';
import { findById, findContainer, readContainers, type Found } from './containers';
import { statusOf } from './sandboxes';

/**
 * How a watch looks at the containers of 26. Their events have numbers as ids, and a name only where the server tells the
 * fields too.
 */
export function lookout(api: TrueNasApi, addresses: Addresses): Lookout {
  const names = new Map<unknown, SandboxName>();
  const remember = ({ name, container: { id } }: Found): void => void names.set(id, name);

  async function nameOf({ kind, id, fields }: CollectionEvent): Promise<SandboxName | undefined> {
    const told = typeof fields['name'] === 'string' ? nameOfInstance(fields['name']) : undefined;
    if (told !== undefined) names.set(id, told);
    const known = told ?? names.get(id);
    if (kind === 'removed') names.delete(id);
    if (known !== undefined || kind === 'removed' || typeof id !== 'number' || 'name' in fields) return known;
    const found = await findById(api, id).catch(() => undefined);
    if (found !== undefined) remember(found);
    return found?.name;
  }

  return {
    subscribe: (listener) =>
      api.subscribe('container.query', (event) => {
        void nameOf(event).then((name) => {
          const state = stateOf(event.fields['status']);
          const mayRun = event.kind !== 'removed' && (state === undefined || state === 'RUNNING');
          if (name !== undefined) listener({ name, mayRun });
        });
      }),
    async all() {
      const found = await readContainers(api);
      found.forEach(remember);
      return new Map(
        found.map(({ name, container }): [SandboxName, Glimpse] => [
          name,
          { status: statusOf(container), addresses: addresses.of(name, container) },
        ]),
      );
    },
    async one(name) {
      const container = await findContainer(api, name);
      if (container === undefined) return undefined;
      return { status: statusOf(container), addresses: await addresses.ask(name, container) };
    },
  };
}

function stateOf(status: unknown): unknown {
  return typeof status === 'object' && status !== null && 'state' in status ? status.state : undefined;
}
