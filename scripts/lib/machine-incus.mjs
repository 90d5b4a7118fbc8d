/**
 * The machine's own Incus daemon, for the demo: used as it is where there is one, otherwise installed, started and
 * initialised. A daemon that has a storage pool is never reconfigured.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { reachability, request } from './incus-api.mjs';
import { daemonPackages, daemonPid, initialise, startDaemon, waitUntilReady } from './incusd.mjs';
import { ensurePackages } from './packages.mjs';
import { run, say, step, until } from './steps.mjs';

const systemSocket = '/var/lib/incus/unix.socket';
const group = 'incus-admin';

/** Where a daemon that was started without a service manager writes; its presence says that it was started so. */
export const daemonFiles = {
  pidFile: '/run/pixels-incusd.pid',
  logFile: '/var/log/incus/incusd.log',
  errorFile: '/var/log/incus/incusd.stderr',
};

/** The socket that Incus' own client would use. */
export function machineSocket() {
  const { INCUS_SOCKET, INCUS_DIR } = process.env;
  return INCUS_SOCKET || (INCUS_DIR ? `${INCUS_DIR}/unix.socket` : systemSocket);
}

/** Makes sure that a daemon is there to work with; `record` learns what was added. Returns its socket. */
export async function ensureMachineIncus(record) {
  const socket = machineSocket();
  const problem = await reachability(socket);
  if (problem === 'EACCES') return joinGroup(socket, record);
  if (problem) {
    if (socket !== systemSocket) throw new Error(`No Incus daemon answers at ${socket} (${problem})`);
    await ensurePackages(daemonPackages, 'Incus');
    await step('Incus daemon', async (note) => {
      if (hasSystemd()) await run('systemctl', ['start', 'incus.socket', 'incus.service'], { root: true });
      else {
        record.add({ daemon: true });
        await startDaemon({ socket, group, ...daemonFiles });
      }
      note(hasSystemd() ? 'by systemd' : 'started here: this machine has no systemd');
    });
    if ((await reachability(socket)) === 'EACCES') return joinGroup(socket, record);
  }
  await waitUntilReady(socket, daemonFiles.logFile);
  const pools = (await request(socket, 'GET', '/1.0/storage-pools')) ?? [];
  if (pools.length > 0 && !record.get('pool')) {
    await step('Incus', (note) => note('this machine has one; its configuration stays as it is'));
    return socket;
  }
  await step('Incus storage, network and profile', async (note) => {
    note('already there');
    const made = (what) => (record.add(what), note('initialised'));
    await initialise(socket, { pool: 'default', poolSize: '20GiB', network: 'incusbr0', made });
  });
  return socket;
}

/** Ends a daemon that was started without a service manager; one of systemd ends with its package. */
export async function stopMachineDaemon() {
  const pid = daemonPid(daemonFiles);
  if (!pid) return;
  await run('kill', ['-PWR', String(pid)], { root: true });
  await until('Incus daemon ended', 60_000, () => daemonPid(daemonFiles) !== pid);
  await run('rm', ['-f', daemonFiles.pidFile], { root: true });
}

/**
 * The socket belongs to a group that this process is not in. A membership begins with the next log-in; `sg` begins it for one
 * command, so the whole script runs again below it.
 */
async function joinGroup(socket, record) {
  const { username } = userInfo();
  if (process.env.PIXELS_DEMO_IN_GROUP) {
    throw new Error(`${socket}: permission denied. Log out and in again so that your membership in ${group} counts`);
  }
  const members = (await run('getent', ['group', group])).trim().split(':').at(-1).split(',');
  if (!members.includes(username)) {
    say(`  Adding ${username} to the group ${group}, whose members may use Incus (this is as much as being root)`);
    await run('usermod', ['-aG', group, username], { root: true });
    record.add({ groupMember: username });
  }
  say(`  Going on as a member of ${group}. Other programs see the membership after the next log-in.\n`);
  const quoted = process.argv.map((argument) => `'${argument.replaceAll("'", String.raw`'\''`)}'`).join(' ');
  const env = { ...process.env, PIXELS_DEMO_IN_GROUP: '1' };
  try {
    execFileSync('sg', [group, '-c', quoted], { stdio: 'inherit', env });
    process.exit(0);
  } catch (error) {
    process.exit(error.status ?? 1);
  }
}

export function hasSystemd() {
  return readFileSync('/proc/1/comm', 'utf8').trim() === 'systemd';
}
