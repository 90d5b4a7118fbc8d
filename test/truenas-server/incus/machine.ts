import type { RealNetwork } from '../host/network';
import type { IncusClient } from './incusClient';

/** The bridge of the default profile's `eth0`. */
export async function realNetwork(incus: IncusClient): Promise<RealNetwork> {
  const { devices } = (await incus.call('GET', '/1.0/profiles/default')) as {
    devices: Record<string, Record<string, string>>;
  };
  const name = devices.eth0?.network;
  if (name === undefined) throw new Error('The test server needs a managed bridge as the eth0 of the default profile');
  const { config } = (await incus.call('GET', `/1.0/networks/${name}`)) as { config: Record<string, string> };
  return { name, address: config['ipv4.address'] ?? '' };
}

/** Where it cannot work, it says so at once. */
export async function checkMachine(incus: IncusClient, incusPool: string): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('The test server needs root: it makes subvolumes and runs cron jobs');
  const { driver } = (await incus.call('GET', `/1.0/storage-pools/${incusPool}`)) as { driver: string };
  if (driver !== 'btrfs')
    throw new Error(`The test server needs a pool on btrfs; ${incusPool} is of the kind ${driver}`);
}
