import type { SandboxName } from '../../sandbox/name';
import type { Sandbox } from '../../sandbox/sandbox';
import type { TrueNasApi } from '../api';
import { countByDataset, labelOf } from '../common/names';
import { snapshotNames } from '../common/snapshots';
import type { Addresses } from './addresses';
import { readContainer, readContainers, snapshotsOf } from './containers';
import { sandboxOf } from './sandboxes';

/** See `SandboxHost.list`. Two requests: the containers, and the names of their snapshots. */
export async function list(api: TrueNasApi, addresses: Addresses, signal?: AbortSignal): Promise<Sandbox[]> {
  const found = await readContainers(api, signal);
  const counts = countByDataset(
    await snapshotsOf(
      api,
      found.map(({ container }) => container),
      signal,
    ),
  );
  return found
    .map(({ name, container }) => {
      const checkpointCount = counts.get(container.dataset) ?? 0;
      return sandboxOf(name, container, { checkpointCount, addresses: addresses.of(name, container) });
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** See `SandboxHost.get`. */
export async function get(
  api: TrueNasApi,
  addresses: Addresses,
  name: SandboxName,
  signal?: AbortSignal,
): Promise<Sandbox> {
  const container = await readContainer(api, name, signal);
  const [known, snapshots] = await Promise.all([
    addresses.ask(name, container, signal),
    snapshotNames(api, container.dataset, { signal }),
  ]);
  const checkpointCount = snapshots.filter((snapshot) => labelOf(snapshot) !== undefined).length;
  return sandboxOf(name, container, { checkpointCount, addresses: known });
}
