/** Starting an Incus daemon without a service manager, and giving a new one its storage, network and default profile. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { find, reachability, request } from './incus-api.mjs';
import { run, say, until } from './steps.mjs';
import { freeSubnet } from './subnet.mjs';

/** What the daemon needs on the host. Debian splits the daemon from QEMU (`incus-base`); Ubuntu 24.04 has one package. */
export const daemonPackages = [['incus-base', 'incus'], 'incus-client', 'btrfs-progs', 'nftables', 'dnsmasq-base'];

const places = [
  '/usr/libexec/incus/incusd',
  '/usr/lib/incus/incusd',
  '/opt/incus/bin/incusd',
  '/usr/bin/incusd',
  '/usr/sbin/incusd',
];

// `setsid -f`: neither Ctrl-C in this terminal nor the end of the script may reach the daemon. The shell writes its own id,
// which `exec` hands on: behind sudo, the id that Node knows is sudo's.
const launcher = `errors=$1; shift; ulimit -n 1048576 2>/dev/null; exec setsid -f sh -c 'echo $$ >"$0"; exec "$@"' "$0" "$@" </dev/null >/dev/null 2>"$errors"`;

/**
 * Starts `incusd` in the background and waits until it is ready. `directory`: its INCUS_DIR, absent for the machine's own.
 * `errorFile` gets what it writes beside its log: a Go program's last words.
 */
export async function startDaemon({ directory, socket, group, logFile, errorFile, pidFile }) {
  const incusd = places.find((place) => existsSync(place));
  if (!incusd) throw new Error(`The Incus daemon is not in any of ${places.join(', ')}`);
  const environment = [
    `PATH=${path.dirname(incusd)}:/usr/sbin:/usr/bin:/sbin:/bin`, // as Debian's service: its helpers are next to it
    ...(directory ? [`INCUS_DIR=${directory}`] : []),
  ];
  const command = ['env', ...environment, incusd, '--group', group, `--logfile=${logFile}`];
  await run('mkdir', ['-p', path.dirname(logFile), path.dirname(pidFile)], { root: true });
  await run('sh', ['-c', launcher, pidFile, errorFile, ...command], { root: true });
  await until('Incus daemon started', 5_000, () => daemonPid({ pidFile, logFile }));
  await waitUntilReady(socket, logFile, () => daemonPid({ pidFile, logFile }) !== null);
}

/** Waits until the daemon at `socket` has loaded its storage, networks and instances. */
export async function waitUntilReady(socket, logFile, isAlive = () => true) {
  await until('Incus daemon ready', 60_000, async () => {
    if (!isAlive()) throw new Error('Incus daemon ended');
    if (await reachability(socket)) return false;
    return find(socket, '/internal/ready').then(
      () => true,
      () => false,
    );
  }).catch((error) => {
    throw new Error(`${error.message}; its log is ${logFile}`);
  });
}

/** The id of the running daemon that was started with this pid file and log file, or null: ids are used again by others. */
export function daemonPid({ pidFile, logFile }) {
  if (!existsSync(pidFile)) return null;
  const pid = Number(readFileSync(pidFile, 'utf8'));
  return pid > 1 && commandLine(pid).includes(`--logfile=${logFile}`) ? pid : null;
}

/**
 * Gives a new daemon what it lacks: a pool (btrfs in a loop file, which needs no disk of its own; a plain directory where
 * the kernel has no btrfs or no loop device is free), a NATed bridge, and a default profile that uses both. Calls
 * `made(what)` after each, so that a caller who is killed in between still knows what to take away; called again, it goes on
 * where it stopped.
 */
export async function initialise(socket, { pool, poolSize, network, made = () => {} }) {
  if (!(await find(socket, `/1.0/storage-pools/${pool}`))) {
    const btrfs = { name: pool, driver: 'btrfs', config: { size: poolSize } };
    await request(socket, 'POST', '/1.0/storage-pools', btrfs).catch(async (error) => {
      say(`  No btrfs pool here (${error.message}); a directory instead, where each checkpoint is a full copy`);
      await request(socket, 'POST', '/1.0/storage-pools', { name: pool, driver: 'dir' });
    });
    made({ pool });
  }
  if (!(await find(socket, `/1.0/networks/${network}`))?.managed) {
    const config = { 'ipv4.address': freeSubnet(), 'ipv4.nat': 'true', 'ipv6.address': 'none' };
    await request(socket, 'POST', '/1.0/networks', { name: network, type: 'bridge', config });
    made({ network });
  }
  const profile = await request(socket, 'GET', '/1.0/profiles/default');
  const devices = {
    root: { type: 'disk', path: '/', pool },
    eth0: { type: 'nic', name: 'eth0', network },
  };
  const lacking = Object.keys(devices).filter((name) => !(name in profile.devices));
  if (lacking.length === 0) return;
  await request(socket, 'PATCH', '/1.0/profiles/default', { devices: { ...devices, ...profile.devices } });
  made({ profileDevices: lacking });
}

/** Stops and deletes every instance, whatever state it is in. */
export async function deleteInstances(socket) {
  const instances = await request(socket, 'GET', '/1.0/instances?recursion=1&all-projects=true');
  await Promise.all(
    instances.map(async ({ name, project, status }) => {
      const at = `/1.0/instances/${name}`;
      const scope = `?project=${encodeURIComponent(project)}`;
      if (status !== 'Stopped')
        await request(socket, 'PUT', `${at}/state${scope}`, { action: 'stop', force: true, timeout: 30 });
      await request(socket, 'DELETE', `${at}${scope}`);
    }),
  );
  return instances.map(({ name }) => name);
}

/** Deletes a stopped daemon's directory; the daemon leaves mounts behind in it. */
export async function eraseDirectory(directory) {
  const script = `
    awk -v base="$1/" 'index($2, base) == 1 { print $2 }' /proc/mounts | sort -r | while read -r mount; do umount -l "$mount"; done
    rm -rf --one-file-system "$1"`;
  await run('sh', ['-c', script, 'sh', directory], { root: true, cleaningUp: true });
}

function commandLine(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
