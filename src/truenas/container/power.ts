import * as z from 'zod/mini';
import { isKind, PixelsError } from '../../sandbox/errors';
import type { Run, StopOptions } from '../../sandbox/host';
import type { Log } from '../../sandbox/log';
import type { SandboxName } from '../../sandbox/name';
import type { TrueNasApi } from '../api';
import { becomes } from '../common/becomes';
import type { CommonInstance } from '../common/instances';
import { endCopying, type CopyTools } from '../common/completeCopy';
import { ownerOf } from '../common/names';
import { explaining } from '../common/refusals';
import { retriedWhileBusy } from '../common/retriedWhileBusy';
import { snapshotNames } from '../common/snapshots';
import { clonesOf } from './clones';
import { findContainer, readContainer } from './containers';
import { completeDevices, deleteContainer } from './create';
import { statusOf } from './sandboxes';

/** What `shutdown_timeout` of a container may be, in seconds. */
const [LEAST_TIMEOUT_S, MOST_TIMEOUT_S] = [5, 300];
/** What the job takes besides waiting. */
const SLACK_MS = 60_000;
/** A start is no job: its call answers when it has been done. */
const START_LIMIT_MS = 5 * 60_000;

/** See `SandboxHost.start`. @param complete sees to it that the container is fit to be started. */
export async function start(
  { api, instances }: CopyTools,
  name: SandboxName,
  complete: (instance: CommonInstance) => Promise<void>,
  { signal }: Run = {},
): Promise<void> {
  await becomes(instances, name, 'running', signal, async (container) => {
    const { id, environment } = container;
    await completeDevices(api, name, environment);
    await complete(container);
    const about = { sandbox: name };
    const call = { about, signal, limitMs: START_LIMIT_MS };
    await explaining(about, () => api.call('container.start', [id], z.unknown(), call));
  });
}

/** See `SandboxHost.stop`. The server knows only the container's own time for shutting down, which is set to this one. */
export async function stop(
  { api, instances, writer }: CopyTools,
  name: SandboxName,
  how: StopOptions,
  run: Run = {},
): Promise<void> {
  const timeout = Math.min(Math.max(LEAST_TIMEOUT_S, Math.ceil(how.timeoutMs / 1000)), MOST_TIMEOUT_S);
  const about = { sandbox: name };
  await becomes(instances, name, 'stopped', run.signal, async ({ id }) => {
    if (!how.force) await writer.inTurn(name, () => setTimeoutOf(api, name, timeout, run.signal));
    const begun = Date.now();
    const options = { force: how.force, force_after_timeout: false };
    const call = { ...run, about, limitMs: timeout * 1000 + SLACK_MS };
    try {
      await explaining(about, () => api.job('container.stop', [id, options], z.unknown(), call));
    } catch (error) {
      // Whatever it says: that long it was given, and it is still there.
      const isLate = !how.force && isKind(error, 'failed') && Date.now() - begun >= timeout * 1000;
      if (!isLate) throw error;
      throw new PixelsError('timeout', `${name} did not shut down in time.`, {
        hint: 'Stop it by force.',
        cause: error,
      });
    }
  });
}

/**
 * See `SandboxHost.destroy`. Its snapshots go with it, and with them whatever is a clone of one; so a container that
 * something depends on stays. @throws also `wrong-state` then, and `busy` while it is a copy that is being made.
 */
export async function destroy(
  { api, log }: { readonly api: TrueNasApi; readonly log: Log },
  name: SandboxName,
  run: Run = {},
): Promise<void> {
  const container = await readContainer(api, name, run.signal);
  const { id, dataset, initenv: environment } = container;
  if (!['stopped', 'error'].includes(statusOf(container))) {
    throw new PixelsError('wrong-state', `${name} is running.`, { hint: 'Stop it first.' });
  }
  await endCopying(api, name, { name: container.name, environment }, log);
  const about = { sandbox: name };
  const isRecursive = (await snapshotNames(api, dataset, { about, signal: run.signal })).length > 0;
  if (isRecursive) {
    const clones = await clonesOf(api, name, container, run.signal);
    if (clones.length > 0) throw neededBy(name, clones);
  }
  const remove = () => explaining(about, () => deleteContainer(api, id, { ...run, about, isRecursive }));
  await retriedWhileBusy(remove, run.signal);
}

async function setTimeoutOf(api: TrueNasApi, name: SandboxName, seconds: number, signal?: AbortSignal): Promise<void> {
  const container = await findContainer(api, name, signal);
  if (container === undefined || container.shutdown_timeout === seconds) return;
  const params = [container.id, { shutdown_timeout: seconds }];
  await api.call('container.update', params, z.unknown(), { about: { sandbox: name }, signal });
}

function neededBy(name: SandboxName, clones: readonly string[]): PixelsError {
  const names = clones.map(ownerOf).join(', ');
  return new PixelsError('wrong-state', `${name} cannot be destroyed: ${names} depends on a checkpoint of it.`, {
    hint: 'Destroy that first.',
  });
}
