import type { Run, StopOptions } from '../sandbox/host';
import { instanceName, type SandboxName } from '../sandbox/name';
import type { IncusApi } from './api';
import { isRefusal } from './errors';
import { change } from './operation';
import { instancePath } from './state';

/** See `SandboxHost.start`. One that is frozen is thawed. */
export async function start(api: IncusApi, name: SandboxName, run: Run = {}): Promise<void> {
  const path = `${instancePath(instanceName(name))}/state`;
  try {
    await change(api, 'PUT', path, { body: { action: 'start' }, about: { name }, run });
  } catch (error) {
    if (!isRefusal(error, 'already-running')) throw error;
  }
}

/** See `SandboxHost.stop`. */
export async function stop(api: IncusApi, name: SandboxName, how: StopOptions, run: Run = {}): Promise<void> {
  const path = `${instancePath(instanceName(name))}/state`;
  const timeout = Math.max(1, Math.ceil(how.timeoutMs / 1000));
  try {
    await change(api, 'PUT', path, { body: { action: 'stop', force: how.force, timeout }, about: { name }, run });
  } catch (error) {
    if (!isRefusal(error, 'already-stopped')) throw error;
  }
}

/** See `SandboxHost.destroy`. */
export async function destroy(api: IncusApi, name: SandboxName, run: Run = {}): Promise<void> {
  await change(api, 'DELETE', instancePath(instanceName(name)), { about: { name }, run });
}
