import type { SandboxName } from '../sandbox/name';
import type { IncusApi } from './api';
import { onFile } from './files';

/**
 * See `SandboxHost.resetIdentity`. An empty machine-id means "make one at the next start" (machine-id(5)), and networkd derives
 * its DHCP identity from it; systemd would take D-Bus' own file for it where an image has one. Incus keeps the owner and mode
 * of a file that is there, and never leaves the instance's root.
 */
export async function resetIdentity(api: IncusApi, name: SandboxName, signal?: AbortSignal): Promise<void> {
  const headers = { 'X-Incus-type': 'file', 'X-Incus-mode': '0444', 'X-Incus-write': 'overwrite' };
  const empty = { headers, body: Buffer.alloc(0), signal };
  await onFile(api, name, 'POST', '/etc/machine-id', empty);
  await onFile(api, name, 'DELETE', '/var/lib/dbus/machine-id', { signal }, 404);
}
