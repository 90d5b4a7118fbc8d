import type { SandboxState, StateChange } from '../sandbox/sandbox';

/** Pixels' own keys in an instance's config. */
export const STATE_PREFIX = 'user.pixels.';

/** The `volatile.uuid.generation` that the settings belong to: see rollback.ts. Not part of the sandbox's state. */
export const GENERATION_KEY = `${STATE_PREFIX}generation`;

type Config = Readonly<Record<string, string>>;

/** The state in an instance's config. */
export function stateOf(config: Config): SandboxState {
  const entries = Object.entries(config).filter(([key]) => key.startsWith(STATE_PREFIX) && key !== GENERATION_KEY);
  return Object.fromEntries(entries.map(([key, value]) => [key.slice(STATE_PREFIX.length), value]));
}

/** The config keys that make up a state or a change of one. Incus removes a key whose value is empty. */
export function configOf(state: SandboxState | StateChange): Record<string, string> {
  const entries = Object.entries(state) as [string, string | null | undefined][];
  return Object.fromEntries(
    entries.filter(([, value]) => value !== undefined).map(([key, value]) => [STATE_PREFIX + key, value ?? '']),
  );
}

/** Where an instance is in the API. */
export function instancePath(instance: string): string {
  return `/instances/${encodeURIComponent(instance)}`;
}
