import { isKind } from '../sandbox/errors';
import { instanceName, type SandboxName } from '../sandbox/name';
import type { SandboxState, StateChange } from '../sandbox/sandbox';
import type { IncusApi } from './api';
import { isRefusal } from './errors';
import { settingsOf, type Settings } from './journal';
import { change } from './operation';
import { isReverted, settingsBefore, withSettings } from './rollback';
import { withoutMark } from './sandboxes';
import { configOf, instancePath, stateOf } from './state';
import { instanceSchema, type Instance } from './wire';

/** A writer that loses this often against others is not in a race but against something that writes without end. */
const MOST_TRIES = 50;
const LONGEST_PAUSE_MS = 40;

/** See `SandboxHost.updateState`. The guard is the ETag: Incus checks it and writes under one lock. */
export async function updateState(
  api: IncusApi,
  name: SandboxName,
  compute: (state: SandboxState) => StateChange,
  signal?: AbortSignal,
): Promise<void> {
  const path = instancePath(instanceName(name));
  for (let tries = 1; ; tries++) {
    const { value: instance, etag } = await api.readTagged(path, instanceSchema, { about: { name }, signal });
    const write = isReverted(instance) ? await repair(api, name, instance, compute, signal) : patch(instance, compute);
    if (write === undefined) return;
    try {
      await change(api, write.method, path, {
        body: write.body,
        headers: { 'If-Match': etag },
        about: { name },
        run: { signal },
      });
      return;
    } catch (error) {
      // On a full pool Incus changes the config, and then fails to write a copy of it there: the next look tells.
      if (isKind(error, 'no-space') && tries === 1) continue;
      if (!isRefusal(error, 'etag') || tries === MOST_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * LONGEST_PAUSE_MS));
    }
  }
}

interface Write {
  readonly method: 'PATCH' | 'PUT';
  readonly body: object;
}

/** Only the keys that change; nothing when none does. Incus' PATCH takes away a description that it is not given. */
function patch({ config, description }: Instance, compute: (state: SandboxState) => StateChange): Write | undefined {
  const changes = Object.entries(configOf(compute(stateOf(config))));
  const effective = changes.filter(([key, value]) => value !== (config[key] ?? ''));
  if (effective.length === 0) return undefined;
  return { method: 'PATCH', body: { config: Object.fromEntries(effective), description } };
}

/** On a reverted instance, all settings are put back with the change (see rollback.ts). */
async function repair(
  api: IncusApi,
  name: SandboxName,
  instance: Instance,
  compute: (state: SandboxState) => StateChange,
  signal: AbortSignal | undefined,
): Promise<Write> {
  const before = await settingsBefore(api, name, instance, signal);
  const settings = before ?? unmarked(settingsOf(instance));
  const config = { ...settings.config, ...configOf(compute(stateOf(settings.config))) };
  return { method: 'PUT', body: withSettings(instance, { ...settings, config }) };
}

/** Without the mark that the checkpoint happened to hold: it is as old as the checkpoint. */
function unmarked(settings: Settings): Settings {
  const state = stateOf(settings.config);
  const others = Object.entries(settings.config).filter(([key]) => !(key in configOf(state)));
  return { ...settings, config: { ...Object.fromEntries(others), ...configOf(withoutMark(state)) } };
}
