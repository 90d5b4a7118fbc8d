import * as z from 'zod/mini';
import { PixelsError } from '../../sandbox/errors';
import type { Run, StopOptions } from '../../sandbox/host';
import type { Log } from '../../sandbox/log';
import { instanceName, type SandboxName } from '../../sandbox/name';
import type { TrueNasApi } from '../api';
import { becomes } from '../common/becomes';
import type { CommonInstance } from '../common/instances';
import { endCopying } from '../common/completeCopy';
import { explaining } from '../common/refusals';
import { retriedWhileBusy } from '../common/retriedWhileBusy';
import { instancesOf, readInstance } from './instances';
import { statusOf } from './sandboxes';

/** The server itself gives up on Incus after 300 s, and then nobody knows how it ended (MW:plugins/virt/utils.py). */
const LONGEST_TIMEOUT_S = 270;
/** What the job takes besides waiting. */
const SLACK_MS = 60_000;

/** See `SandboxHost.start`. @param complete sees to it that the instance is fit to be started. */
export async function start(
  api: TrueNasApi,
  name: SandboxName,
  run: Run,
  complete: (instance: CommonInstance) => Promise<void>,
): Promise<void> {
  await becomes(instancesOf(api), name, 'running', run.signal, async (instance) => {
    await complete(instance);
    await job(api, 'virt.instance.start', [instanceName(name)], name, { run, limitMs: undefined });
  });
}

/** See `SandboxHost.stop`. */
export async function stop(api: TrueNasApi, name: SandboxName, how: StopOptions, run: Run = {}): Promise<void> {
  const timeout = Math.min(Math.max(1, Math.ceil(how.timeoutMs / 1000)), LONGEST_TIMEOUT_S);
  const options = how.force ? { force: true, timeout: -1 } : { force: false, timeout };
  const limitMs = timeout * 1000 + SLACK_MS;
  await becomes(instancesOf(api), name, 'stopped', run.signal, () =>
    job(api, 'virt.instance.stop', [instanceName(name), options], name, { run, limitMs }),
  );
}

/**
 * See `SandboxHost.destroy`. The server would stop it by force; here that is asked for apart. @throws also `busy` while
 * it is a copy that is being made.
 */
export async function destroy(
  { api, log }: { readonly api: TrueNasApi; readonly log: Log },
  name: SandboxName,
  run: Run = {},
): Promise<void> {
  const instance = await readInstance(api, name, run.signal);
  if (!['stopped', 'error'].includes(statusOf(instance))) {
    throw new PixelsError('wrong-state', `${name} is running.`, { hint: 'Stop it first.' });
  }
  await endCopying(api, name, instance, log);
  const remove = () => job(api, 'virt.instance.delete', [instanceName(name)], name, { run, limitMs: undefined });
  await retriedWhileBusy(remove, run.signal);
}

async function job(
  api: TrueNasApi,
  method: string,
  params: readonly unknown[],
  name: SandboxName,
  { run, limitMs }: { readonly run: Run; readonly limitMs: number | undefined },
): Promise<void> {
  const about = { sandbox: name };
  await explaining(about, () =>
    api.job(method, params, z.unknown(), { ...run, about, ...(limitMs === undefined ? {} : { limitMs }) }),
  );
}
