import { setTimeout as sleep } from 'node:timers/promises';
import type { Pixels } from '../app/pixels';
import type { Sandbox } from '../sandbox/sandbox';

/** DHCP usually answers half a second after the start. */
const LIMIT_MS = 5000;
const EVERY_MS = 100;

/**
 * The running sandbox with its address, for scripts, which ask once. After 5 seconds as it is: there are networks
 * without DHCP.
 */
export async function waitForAddress({ host }: Pixels, sandbox: Sandbox, signal?: AbortSignal): Promise<Sandbox> {
  const deadline = Date.now() + LIMIT_MS;
  let latest = sandbox;
  if (sandbox.isBehindGateway) return sandbox;
  while (latest.status === 'running' && latest.addresses.length === 0 && Date.now() < deadline) {
    await sleep(EVERY_MS, undefined, signal === undefined ? {} : { signal });
    latest = await host.get(sandbox.name, signal);
  }
  return latest;
}
