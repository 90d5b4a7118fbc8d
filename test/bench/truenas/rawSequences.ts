import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { directLogin } from '../ssh';
import { READY } from '../world';
import type { RawNas } from './rawNas';
import type { World } from './world';

const PARENT = 'tank/.ix-virt/containers';
const FORCE = { force: true, timeout: -1 };

interface Instance {
  readonly aliases: readonly { readonly type: string; readonly address: string }[];
}

/** What one would do with the bare API and nothing else: as few calls as it takes, one after another. */
export const rawSequences = {
  /** The calls with which Pixels learns of all instances, and of the checkpoints of each. */
  async list(raw: RawNas): Promise<void> {
    const filter = [['name', '~', `[^/]+/[.]ix-virt/containers/px-[^@/]+@px-`]];
    await Promise.all([
      raw.call('virt.instance.query', [[['name', '^', 'px-']], { extra: { raw: true } }]),
      raw.call('pool.snapshot.query', [filter, { select: ['name'] }]),
    ]);
  },

  /** What Pixels asks of an instance before it does anything with it. */
  async look(raw: RawNas, name: string): Promise<void> {
    await raw.call('virt.instance.query', [[['name', '=', `px-${name}`]], { extra: { raw: true } }]);
  },

  async checkpoint(raw: RawNas, name: string, label: string): Promise<void> {
    await raw.call('pool.snapshot.create', [{ dataset: `${PARENT}/px-${name}`, name: `px-${label}` }]);
  },

  async deleteCheckpoint(raw: RawNas, name: string, label: string): Promise<void> {
    await raw.call('pool.snapshot.delete', [`${PARENT}/px-${name}@px-${label}`, {}]);
  },

  async restore(world: World, name: string): Promise<void> {
    const { raw } = world;
    await raw.job('virt.instance.stop', [`px-${name}`, FORCE]);
    await raw.call('pool.snapshot.rollback', [`${PARENT}/px-${name}@px-${READY}`, { recursive: true }]);
    await raw.job('virt.instance.start', [`px-${name}`]);
    await directLogin(world.directSsh, 'pixel', await address(raw, name));
  },

  /** A copy that depends on nothing, which takes a command on the NAS; with a machine-id of its own. */
  async clone(world: World, name: string): Promise<void> {
    const { raw, source } = world;
    await createInstance(world, name);
    const [from, to] = [`${PARENT}/px-${source}@px-${READY}`, `${PARENT}/px-${name}`];
    await runOnNas(
      raw,
      [
        `set -e; zfs destroy -r ${to}`,
        `zfs send ${from} | zfs receive -u -o canmount=noauto -o mountpoint=legacy ${to}`,
        `zfs destroy ${to}@px-${READY}`,
        `dir=$(mktemp -d); mount -t zfs ${to} $dir`,
        'truncate -s 0 $dir/rootfs/etc/machine-id; rm -f $dir/rootfs/var/lib/dbus/machine-id',
        'umount $dir; rmdir $dir',
      ].join('; '),
    );
    await raw.job('virt.instance.start', [`px-${name}`]);
    await directLogin(world.directSsh, 'pixel', await address(raw, name));
  },

  /** The image has sshd; the least that lets one in is root's authorized_keys. */
  async create(world: World, name: string): Promise<void> {
    const { raw } = world;
    await createInstance(world, name);
    await raw.job('virt.instance.start', [`px-${name}`]);
    const shell = await raw.shell(`px-${name}`);
    const publicKey = fs.readFileSync(`${world.pixels.ssh.paths.privateKey}.pub`, 'utf8').trim();
    await shell.run(`mkdir -p -m 700 /root/.ssh && echo '${publicKey}' >/root/.ssh/authorized_keys`);
    shell.close();
    await directLogin(world.directSsh, 'root', await address(raw, name));
  },

  async start(world: World, name: string): Promise<void> {
    await world.raw.job('virt.instance.start', [`px-${name}`]);
    await directLogin(world.directSsh, 'pixel', await address(world.raw, name));
  },

  async run(raw: RawNas, name: string): Promise<void> {
    await raw.job('virt.instance.start', [`px-${name}`]);
  },

  async stop(raw: RawNas, name: string): Promise<void> {
    await raw.job('virt.instance.stop', [`px-${name}`, FORCE]);
  },

  async destroy(raw: RawNas, name: string): Promise<void> {
    await raw.job('virt.instance.delete', [`px-${name}`]);
  },

  /** Many checkpoints of many instances at once. */
  async takeCheckpoints(raw: RawNas, instances: readonly string[], count: number): Promise<void> {
    for (const instance of instances) {
      const ids = Array.from({ length: count }, (_, index) => `${PARENT}/${instance}@px-cp-${index + 1}`);
      await runOnNas(raw, `zfs snapshot ${ids.join(' ')}`);
    }
  },
};

async function createInstance({ raw, project }: World, name: string): Promise<void> {
  const kind = { source_type: 'IMAGE', instance_type: 'CONTAINER', image: project.image, autostart: false };
  await raw.job('virt.instance.create', [{ name: `px-${name}`, ...kind, cpu: null, memory: null, devices: [] }]);
}

/** By a cron job that is made for it. */
async function runOnNas(raw: RawNas, command: string): Promise<void> {
  const task = { command, user: 'root', description: 'bench', enabled: false, stdout: false, stderr: false };
  const { id } = (await raw.call('cronjob.create', [task])) as { id: number };
  await raw.job('cronjob.run', [id, false]);
  await raw.call('cronjob.delete', [id]);
}

/** Asked for every 20 ms: there is no event for it. */
async function address(raw: RawNas, name: string): Promise<string> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const [instance] = (await raw.call('virt.instance.query', [[['name', '=', `px-${name}`]]])) as Instance[];
    const found = instance?.aliases.find(({ type }) => type === 'INET');
    if (found !== undefined) return found.address;
    await sleep(20);
  }
  throw new Error(`${name} got no address`);
}
