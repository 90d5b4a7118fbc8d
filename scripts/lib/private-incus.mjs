/**
 * A second Incus daemon, only for tests and measurements: its own directory, storage pool, bridge and HTTPS port. Tests may
 * kill and restart it, and never touch the machine's own. Everything is under /var/lib/pixels-NAME, short because a unix
 * socket's path is limited to 107 characters, and is used again by the next run; deleting it costs time only.
 */
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { find, reachability, request, takesChanges } from './incus-api.mjs';
import { daemonPid, deleteInstances, eraseDirectory, initialise, startDaemon } from './incusd.mjs';
import { freePort, isListening } from './port.mjs';
import { interrupted, run, until } from './steps.mjs';

const KERNEL_LIMITS = {
  'fs/inotify/max_user_instances': 1024,
  'kernel/keys/maxkeys': 2000,
  'kernel/keys/maxbytes': 2_000_000,
};

/**
 * Where things are, and what can be done to the daemon, whether or not it runs.
 * `base` as in the environment variable PIXELS_TEST_DAEMON of the tests.
 */
export function privateIncus(base) {
  const name = /^\/var\/lib\/pixels-([a-z][a-z0-9]{0,7})$/.exec(base)?.[1];
  if (!name) throw new Error(`Not the directory of a private daemon: ${base}`); // the bridge's name allows 15 characters
  const directory = `${base}/incus`;
  const files = { pidFile: `${base}/incusd.pid`, logFile: `${base}/incusd.log`, errorFile: `${base}/incusd.stderr` };
  const daemon = {
    name,
    base,
    directory,
    ...files,
    socket: `${directory}/unix.socket`,
    clientCertificate: `${base}/client.crt`,
    clientKey: `${base}/client.key`,
    serverCertificate: `${base}/server.crt`,
    /** The running daemon's process id, or null. */
    get pid() {
      return daemonPid(files);
    },
    /** Starts it where it is not running. Containers that were running start again, as after a power cut. */
    async start() {
      const group = (await run('id', ['-gn'])).trim(); // so that the tests need not be root
      if (!daemon.pid) await startDaemon({ ...daemon, group });
    },
    /** Ends the daemon at once; containers keep running without it. */
    kill: () => end(daemon, 'KILL'),
    /** Ends the daemon and starts it again; containers keep running. `{ hard: true }` as after a crash. */
    async restart({ hard = false } = {}) {
      await end(daemon, hard ? 'KILL' : 'TERM');
      await daemon.start();
    },
    /** Stops the containers and the daemon, takes its bridge down and unmounts its pool. */
    async stop() {
      if (!daemon.pid) return;
      await stopInstances(daemon.socket).catch(() => {}); // the daemon's own end stops them too
      await end(daemon, 'PWR'); // Incus' signal for "the host shuts down"
    },
    /**
     * Switches btrfs' quotas off. The first root disk with a size switches them on for the whole pool, for good, and then most of
     * both cores goes into deleting what tests have made: four fifths of all time was the kernel's.
     */
    async dropQuotas() {
      const pool = `${directory}/storage-pools/default`;
      await run('btrfs', ['quota', 'disable', pool], { root: true, cleaningUp: true }).catch(() => {}); // or it has none
    },
    /** The address of its HTTPS API, where the client certificate is trusted. */
    async https() {
      const { config } = await request(daemon.socket, 'GET', '/1.0');
      return `https://${config['core.https_address']}`;
    },
  };
  return daemon;
}

/**
 * Starts the private daemon NAME, or finds it running (`reused`). A start deletes the instances that an earlier run left.
 * `inMemory` puts the database there: each change waits until its raft log is written. It outlives the daemon, and not the
 * machine.
 */
export async function startPrivateIncus(name = 'test', { inMemory = false } = {}) {
  const daemon = privateIncus(`/var/lib/pixels-${name}`);
  const reused = daemon.pid !== null && (await takesChanges(daemon.socket));
  if (!reused) {
    const owner = ['-o', String(process.getuid()), '-g', String(process.getgid())];
    await daemon.kill(); // one that hangs
    const database = `${daemon.directory}/database`;
    if (inMemory && !isMounted(database)) await erasePrivateIncus(name); // it was on the disk, or the machine was restarted
    await run('install', ['-d', ...owner, daemon.base], { root: true });
    if (inMemory) await run('sh', ['-c', mountInMemory, 'sh', database], { root: true });
    await raiseKernelLimits();
    await daemon.start().catch(async (error) => {
      if (interrupted.aborted) throw error;
      await erasePrivateIncus(name); // half-made or damaged: nothing in there is worth a repair
      await run('install', ['-d', ...owner, daemon.base], { root: true });
      if (inMemory) await run('sh', ['-c', mountInMemory, 'sh', database], { root: true });
      await daemon.start();
    });
    await deleteInstances(daemon.socket);
  }
  await initialise(daemon.socket, { pool: 'default', poolSize: '20GiB', network: `pix${name}br0` });
  await openHttps(daemon);
  return Object.assign(daemon, { reused });
}

/** Stops the private daemon and deletes its directory with every image and instance. */
export async function erasePrivateIncus(name = 'test') {
  const daemon = privateIncus(`/var/lib/pixels-${name}`);
  if (!existsSync(daemon.base)) return;
  if (daemon.pid && !(await reachability(daemon.socket))) await deleteInstances(daemon.socket).catch(() => {});
  await daemon.kill();
  await run('sh', ['-c', endRemains, 'sh', daemon.base, `pix${name}br0`], { root: true, cleaningUp: true });
  await eraseDirectory(daemon.base);
}

// A killed daemon leaves container monitors (their containers die with them), its DHCP server, its bridge and the
// firewall's chains behind. The processes carry the directory's name in their command line.
const endRemains = `
for process in /proc/[0-9]*; do
  if tr '\\0' ' ' <"$process/cmdline" 2>/dev/null | grep -Eq "^(\\[lxc monitor\\]|dnsmasq|.*/?incusd fork).*$1/incus"; then
    kill -9 "\${process#/proc/}" 2>/dev/null
  fi
done
ip link delete "$2" 2>/dev/null
for chain in pstrt fwd in out; do nft delete chain inet incus "$chain.$2" 2>/dev/null; done
true
`;

const mountInMemory = `
mkdir -p "$1"
grep -q " $1 " /proc/mounts || mount -t tmpfs -o mode=0700,size=2g pixels-database "$1"
`;

function isMounted(directory) {
  return readFileSync('/proc/mounts', 'utf8').includes(` ${directory} `);
}

/**
 * All containers share one range of user ids, and so what the kernel allows each user: 128 inotify instances and 200 keys. About
 * 14 running containers use them up, on all daemons together (Incus' documentation, "Server settings for a production setup").
 */
async function raiseKernelLimits() {
  for (const [name, least] of Object.entries(KERNEL_LIMITS)) {
    const file = `/proc/sys/${name}`;
    if (!existsSync(file) || Number(readFileSync(file, 'utf8')) >= least) continue;
    await run('sh', ['-c', `echo ${least} >${file}`], { root: true }).catch(() => {}); // a container may not, and does without
  }
}

async function stopInstances(socket) {
  const instances = await request(socket, 'GET', '/1.0/instances?recursion=1');
  const stop = { action: 'stop', force: true, timeout: 30 };
  const running = instances.filter(({ status }) => status !== 'Stopped');
  await Promise.allSettled(running.map(({ name }) => request(socket, 'PUT', `/1.0/instances/${name}/state`, stop)));
}

async function end(daemon, signal) {
  const { pid } = daemon;
  if (!pid) return;
  const gone = () => daemon.pid !== pid; // a zombie, which nobody may ever reap, counts as gone
  await run('kill', [`-${signal}`, String(pid)], { root: true, cleaningUp: true });
  await until('Incus daemon ended', 40_000, gone).catch(async () => {
    await run('kill', ['-KILL', String(pid)], { root: true, cleaningUp: true });
    await until('Incus daemon killed', 5_000, gone);
  });
}

/** HTTPS on a free loopback port with a client certificate of its own, as a remote daemon has it. */
async function openHttps({ socket, clientCertificate, clientKey, serverCertificate }) {
  if (!existsSync(clientCertificate) || !existsSync(clientKey)) {
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3650'];
    await run('openssl', ['req', ...kind, '-subj', '/CN=pixels-test', '-keyout', clientKey, '-out', clientCertificate]);
  }
  const certificate = new X509Certificate(readFileSync(clientCertificate));
  const fingerprint = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
  if (!(await find(socket, `/1.0/certificates/${fingerprint}`))) {
    const trusted = { name: 'pixels-test', type: 'client', certificate: certificate.raw.toString('base64') };
    await request(socket, 'POST', '/1.0/certificates', trusted);
  }
  const { config, environment } = await request(socket, 'GET', '/1.0');
  const current = config['core.https_address'];
  if (!current || !(await isListening(current))) {
    const address = `127.0.0.1:${await freePort()}`;
    await request(socket, 'PATCH', '/1.0', { config: { 'core.https_address': address } });
  }
  writeFileSync(serverCertificate, environment.certificate);
}
