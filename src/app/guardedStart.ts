import path from 'node:path';
import { configPath } from '../config';
import { egressOf } from '../egress';
import { startUnderPolicy } from '../sandbox/egress';
import type { SandboxHost } from '../sandbox/host';
import type { SandboxName } from '../sandbox/name';

/**
 * Starts a sandbox under its egress policy, without the rest of a start: for whoever connects to one that is stopped. What it has to
 * know of its surroundings it was told before.
 * @throws PixelsError of {@link startUnderPolicy}.
 */
export async function guardedStart(host: SandboxHost, name: SandboxName, signal?: AbortSignal): Promise<void> {
  const egress = egressOf({
    presetFile: path.join(path.dirname(configPath()), 'egress.toml'),
    mode: 'unrestricted',
    allow: [],
    enforcement: 'guest', // of new sandboxes; this one says itself
    async gateway() {
      const [{ loadConfig }, { gatewayFor }] = await Promise.all([import('../config'), import('./gatewayFor')]);
      return gatewayFor((await loadConfig()).config);
    },
  });
  await startUnderPolicy({ host, egress, tell: () => Promise.resolve() }, name, { signal });
}
