import path from 'node:path';
import { configPath } from '../config';
import { guestEgress } from '../egress';
import { startUnderPolicy } from '../sandbox/egress';
import type { SandboxHost } from '../sandbox/host';
import type { SandboxName } from '../sandbox/name';

/**
 * Starts a sandbox under its egress policy, without the rest of a start: for whoever connects to one that is stopped. What it has to
 * know of its surroundings it was told before.
 * @throws PixelsError of {@link startUnderPolicy}.
 */
export async function guardedStart(host: SandboxHost, name: SandboxName, signal?: AbortSignal): Promise<void> {
  const presetFile = path.join(path.dirname(configPath()), 'egress.toml');
  const egress = guestEgress({ presetFile, mode: 'unrestricted', allow: [] });
  await startUnderPolicy({ host, egress, tell: () => Promise.resolve() }, name, { signal });
}
