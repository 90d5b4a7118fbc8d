import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeTestProject, type TestProject } from '../support/testProject';
import { startTrueNasServer, type Misbehaviour, type Profile, type TrueNasServer } from '../truenas-server';
import { AnsweredError, TestClient } from '../truenas-server/testClient';
import { eventually } from './support';

let project: TestProject;
let server: TrueNasServer;
let client: TestClient;

const DATASETS = 'tank/.ix-virt/containers';

beforeAll(async () => {
  project = await makeTestProject('pixels-nas');
});

afterAll(async () => {
  await project.remove();
});

/** A server for the tests of a group, and a client that is logged in for each. */
function withServer(profile: Profile, misbehave: Partial<Misbehaviour> = {}): void {
  beforeAll(async () => {
    const { socket, project: name } = project;
    server = await startTrueNasServer({ socket, project: name, incusPool: 'default', profile, misbehave });
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    client = await TestClient.connect(server);
    await client.login();
  });
  afterEach(() => client.close());
}

/** What an action fails with. */
async function failure(action: Promise<unknown>): Promise<AnsweredError> {
  const error: unknown = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(AnsweredError);
  return error as AnsweredError;
}

/** What a script prints in a container of 25.x, to which a shell on a terminal is all there is. */
async function inShell(instance: string, script: string): Promise<string> {
  const shell = await client.shell({ virt_instance_id: instance, command: '/bin/bash' });
  shell.socket.send(Buffer.from(`stty -echo; PS1=; printf '\\002'; ${script}; exit\n`));
  return (await shell.output).split('\x02').at(-1) ?? ''; // without the echo of the script
}

function cron(command: string, fields: Record<string, unknown> = {}): Promise<unknown> {
  return client
    .call('cronjob.create', [{ command, user: 'root', enabled: false, stdout: false, ...fields }])
    .then((made) => {
      return client.job('cronjob.run', [(made as { id: number }).id, false]);
    });
}

async function lastExcerpt(): Promise<string> {
  const options = { get: true, order_by: ['-id'] };
  const job = (await client.call('core.get_jobs', [[['method', '=', 'cronjob.run']], options])) as {
    logs_excerpt: string;
  };
  return job.logs_excerpt;
}

describe.each(['25.04.2', '25.10.5'] as const)('TrueNAS %s: a container', (profile) => {
  withServer(profile);
  const snapshots = profile === '25.04.2' ? 'zfs.snapshot' : 'pool.snapshot';
  const dataset = `${DATASETS}/px-a`;

  it('is made from an image, and runs', async () => {
    const fields = {
      name: 'px-a',
      image: project.image,
      autostart: true,
      memory: 512 * 1024 * 1024,
      environment: { A: 'b' },
    };
    const made = await client.job('virt.instance.create', [fields]);
    expect(made).toMatchObject({
      id: 'px-a',
      status: 'RUNNING',
      autostart: true,
      memory: 536870912,
      storage_pool: 'tank',
    });
    expect(made).toHaveProperty('environment', { A: 'b' });
  });

  it('gets an address that is told after a while', async () => {
    server.misbehave.slowDhcpMs = 60_000;
    const addresses = async (): Promise<unknown[]> => {
      return ((await client.call('virt.instance.get_instance', ['px-a'])) as { aliases: unknown[] }).aliases;
    };
    expect(await addresses()).toEqual([]);
    server.misbehave.slowDhcpMs = 0;
    const found = await eventually(10_000, async () => (await addresses()).at(0));
    expect(found).toMatchObject({ type: 'INET', netmask: 24 });
  });

  it('has a shell, on a terminal whose size can be changed', async () => {
    const shell = await client.shell({ virt_instance_id: 'px-a', command: '/bin/bash' });
    shell.socket.send(Buffer.from('stty size; read line; stty size; exit\n'));
    await client.call('core.resize_shell', [shell.id, 123, 45]);
    shell.socket.send(Buffer.from('\n'));
    expect(await shell.output).toContain('45 123');
  });

  it('is rolled back to a snapshot, which Incus knows nothing of', async () => {
    await inShell('px-a', 'echo first > /root/file');
    const made = await client.call(`${snapshots}.create`, [
      { dataset, name: 'px-one', properties: { 'io.test:a': 'b' } },
    ]);
    expect(made).toMatchObject({ id: `${dataset}@px-one`, snapshot_name: 'px-one', pool: 'tank' });
    expect(await project.raw.must('GET', '/1.0/instances/px-a/snapshots')).toEqual([]);
    await inShell('px-a', 'echo second > /root/file');
    await client.job('virt.instance.stop', ['px-a', { timeout: 60 }]);
    expect(await client.call(`${snapshots}.rollback`, [`${dataset}@px-one`, {}])).toBeNull();
    await client.job('virt.instance.start', ['px-a']);
    expect(await inShell('px-a', 'cat /root/file')).toContain('first');
  });

  it('is rolled back past newer snapshots only when told so, which destroys them', async () => {
    for (const name of ['px-two', 'px-three']) await client.call(`${snapshots}.create`, [{ dataset, name }]);
    const refusal = await failure(client.call(`${snapshots}.rollback`, [`${dataset}@px-one`]));
    expect(refusal.data?.reason).toBe(
      `[EFAULT] Failed to rollback snapshot: cannot rollback to '${dataset}@px-one': more recent snapshots or bookmarks exist\n` +
        `use '-r' to force deletion of the following snapshots and bookmarks:\n${dataset}@px-two\n${dataset}@px-three`,
    );
    await client.job('virt.instance.stop', ['px-a', { force: true }]);
    await client.call(`${snapshots}.rollback`, [`${dataset}@px-one`, { recursive: true }]);
    const names = await client.call(`${snapshots}.query`, [[['dataset', '=', dataset]], { select: ['name'] }]);
    expect(names).toEqual([{ name: `${dataset}@px-one` }]);
  });

  it('is copied by a cron job into one that was made for it and never started', async () => {
    await client.job('virt.instance.create', [{ name: 'px-b', image: project.image, autostart: false }]);
    const target = `${DATASETS}/px-b`;
    await cron(
      `/usr/sbin/zfs destroy -r '${target}' && /usr/sbin/zfs send '${dataset}@px-one' | /usr/sbin/zfs receive -o canmount=noauto '${target}'` +
        ` && /usr/sbin/zfs destroy '${target}@px-one' && zfs list -H -o name -t all -r ${DATASETS}`,
    );
    expect((await lastExcerpt()).split('\n')).toEqual(expect.arrayContaining([target, `${dataset}@px-one`]));
    await client.job('virt.instance.start', ['px-b']);
    expect(await inShell('px-b', 'cat /root/file; hostname')).toMatch(/first\s+px-b/);
  });

  it('keeps its snapshot while a clone of it is there', async () => {
    await client.job('virt.instance.stop', ['px-b', { force: true }]);
    await cron(
      `zfs destroy -r ${DATASETS}/px-b && zfs clone ${dataset}@px-one ${DATASETS}/px-b && tmp=$(mktemp -d) && ` +
        `mount -t zfs ${DATASETS}/px-b "$tmp" && ls "$tmp/rootfs/etc/hostname" && umount "$tmp" && rmdir "$tmp"`,
    );
    const refusal = await failure(client.call(`${snapshots}.delete`, [`${dataset}@px-one`, {}]));
    expect(refusal.code).toBe(-32602);
    expect(refusal.data?.extra).toEqual([
      [
        'options.defer',
        `Please set this attribute as '${dataset}@px-one' snapshot has dependent clones: ${DATASETS}/px-b`,
        22,
      ],
    ]);
  });

  it('can be deleted, and not started, when its data set is gone', async () => {
    await cron(`zfs destroy -r ${DATASETS}/px-b`);
    await expect(client.job('virt.instance.start', ['px-b'])).rejects.toThrow('[EFAULT] Failed to start instance: ');
    await client.job('virt.instance.delete', ['px-b']);
  });

  it('is deleted with its snapshots', async () => {
    await client.job('virt.instance.delete', ['px-a']);
    expect(await client.call(`${snapshots}.query`, [[], { count: true }])).toBe(0);
    expect(await client.call('virt.instance.query')).toEqual([]);
  });
});

describe('TrueNAS 26.0: a container', () => {
  withServer('26.0');
  const dataset = 'tank/.truenas_containers/containers/px-a';
  let id: number;

  it('is made from the registry, without being started', async () => {
    const images = (await client.call('container.image.query_registry')) as {
      name: string;
      versions: { version: string }[];
    }[];
    const { name, versions } = images.find((image) => image.name.endsWith(':default'))!;
    const fields = {
      name: 'px-a',
      image: { name, version: versions[0]!.version },
      idmap: { type: 'ISOLATED', slice: null },
    };
    const made = (await client.job('container.create', [fields])) as { id: number };
    expect(made).toMatchObject({ name: 'px-a', dataset, status: { state: 'STOPPED' }, default_network: 'truenasbr0' });
    id = made.id;
  });

  it('gets a network interface and is started, which is no job', async () => {
    const device = { container: id, attributes: { dtype: 'NIC', nic_attach: 'enp3s0', type: 'VIRTIO' } };
    expect(await client.call('container.device.create', [device])).toMatchObject({ container: id });
    expect(await client.call('container.start', [id])).toBeNull();
  });

  it('runs a script in its shell', async () => {
    const shell = await client.shell({ container_id: id, command: 'id -u; hostname; exit 3' });
    expect(await shell.output).toBe('0\r\npx-a\r\n');
  });

  it('is copied by a cron job and registered', async () => {
    await client.call('zfs.resource.snapshot.create', [{ dataset, name: 'px-one' }]);
    const target = dataset.replace('px-a', 'px-b');
    await cron(`zfs send ${dataset}@px-one | zfs receive ${target}`);
    const made = await client.call('container.create_with_dataset', [
      { name: 'px-b', dataset: target, autostart: false },
    ]);
    const { id: copy } = made as { id: number };
    await client.call('container.start', [copy]);
    const shell = await client.shell({ container_id: copy, command: 'hostname' });
    expect(await shell.output).toContain('px-b');
    await client.job('container.delete', [copy, { force: true, recursive: true }]);
  });

  it('has no snapshots by the API once its path is protected', async () => {
    server.misbehave.protectedPaths = true;
    const refusal = await failure(client.call('pool.snapshot.create', [{ dataset, name: 'px-two' }]));
    server.misbehave.protectedPaths = false;
    expect(refusal.code).toBe(-32602);
    expect(refusal.data?.extra).toEqual([['zfs.resource.snapshot.create', `'${dataset}' is a protected path.`, 13]]);
  });

  it('is not deleted with snapshots unless told so', async () => {
    await client.job('container.stop', [id, { force: true }]);
    await expect(client.job('container.delete', [id])).rejects.toThrow(/^\[ENOTEMPTY\] container_delete.recursive/);
    await client.job('container.delete', [id, { recursive: true }]);
    expect(await client.call('container.query')).toEqual([]);
  });

  it('has none of the methods of 25.x', async () => {
    expect((await failure(client.call('virt.global.config'))).code).toBe(-32601);
  });
});

describe('the protocol', () => {
  withServer('25.10.5');

  it('tells the versions and the boot over HTTPS with its own certificate', async () => {
    const get = (url: string): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const agent = new https.Agent({ ca: server.certificate, servername: 'localhost' });
        https
          .get(`https://127.0.0.1:${server.port}${url}`, { agent }, (response) => {
            let text = '';
            response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
            response.on('end', () => resolve(JSON.parse(text)));
          })
          .on('error', reject);
      });
    expect(await get('/api/versions')).toContain('v25.10.5');
    expect(await get('/api/boot_id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('refuses unknown keys and wrong types before there is a job', async () => {
    const refusal = await failure(
      client.call('virt.instance.create', [{ name: 'px-a', image: 7, cpus: 2, memory: 5 }]),
    );
    expect(refusal.code).toBe(-32602);
    expect(refusal.data?.extra).toEqual(
      expect.arrayContaining([
        ['virt_instance_create.image', 'Input should be a valid string', 22],
        ['virt_instance_create.cpus', 'Extra inputs are not permitted', 22],
        ['virt_instance_create.memory', 'Value error, Value must be 32MiB or larger', 22],
      ]),
    );
  });

  it('says of what is missing that the arguments are wrong', async () => {
    const refusal = await failure(client.call('virt.instance.get_instance', ['px-none']));
    expect(refusal.code).toBe(-32602);
    expect(refusal.data).toMatchObject({ error: 22, extra: [[null, 'VirtInstance px-none does not exist', 2]] });
  });

  it('lets a job fail with the text of Incus', async () => {
    const job = client.job('virt.instance.create', [{ name: 'px-a', image: 'ubuntu/99.99' }]);
    await expect(job).rejects.toThrow(/^\[EFAULT\] Failed getting remote image info/);
    expect(await client.call('virt.instance.query')).toEqual([]);
  });

  it('puts the output of a cron job into its log, and fails with its exit code', async () => {
    await expect(cron('echo one; echo two >&2; exit 7')).rejects.toThrow(
      '[EFAULT] CronTask "echo one; echo two >&2; exit 7" exited with 7 (non-zero) exit status.',
    );
    expect(await lastExcerpt()).toMatch(/^one\ntwo\n/);
    await expect(cron('zfs list -Q')).rejects.toThrow('exited with 2');
    expect(await lastExcerpt()).toContain("invalid option 'Q'");
  });

  it('lets no command of a cron job outlive its mounts or hide the machine', async () => {
    await cron('command -v zfs; test ! -e /usr/sbin/zfs || echo there');
    expect(await lastExcerpt()).toContain('there');
    expect(existsSync('/usr/sbin/zfs')).toBe(false);
  });

  it('gives a key only what its roles and its user may do', async () => {
    const limited = await TestClient.connect(server);
    await limited.login(server.addKey({ roles: ['VIRT_INSTANCE_READ'], webShell: false }));
    expect(await limited.call('virt.instance.query')).toEqual([]);
    expect((await failure(limited.call('virt.instance.start', ['px-a']))).data).toMatchObject({ errname: 'EACCES' });
    expect((await failure(limited.call('filesystem.file_receive', ['/etc/a', '']))).data).toMatchObject({ error: 13 });
    await expect(limited.shell({ virt_instance_id: 'px-a' })).rejects.toThrow('failed');
    limited.close();
  });

  it('revokes a key that comes without TLS', async () => {
    const key = server.addKey();
    const plain = await TestClient.connect(server, { plain: true });
    expect(await plain.tryLogin(key)).toEqual({ response_type: 'EXPIRED' });
    expect(server.keyRevoked(key.apiKey)).toBe(true);
    plain.close();
    const secure = await TestClient.connect(server);
    expect(await secure.tryLogin(key)).toEqual({ response_type: 'EXPIRED' });
    expect(await secure.tryLogin({ ...key, apiKey: '1-wrong' })).toEqual({ response_type: 'AUTH_ERR' });
    expect((await failure(secure.call('virt.instance.query'))).data).toMatchObject({ error: 207 });
    secure.close();
  });

  it('writes what it received, without secrets', () => {
    expect(JSON.stringify(server.calls)).not.toContain(server.apiKey);
    expect(server.calls.some(({ method }) => method === 'auth.login_ex')).toBe(true);
  });

  it('refuses the 21st call', async () => {
    server.misbehave.slowMethods = { 'core.ping': 200 };
    const calls = Array.from({ length: 21 }, () => client.ask({ method: 'core.ping', params: [] }));
    const answers = await Promise.all(calls);
    server.misbehave.slowMethods = {};
    expect(answers.map(({ error }) => error).filter(Boolean)).toEqual([
      { code: -32000, message: 'Maximum number of concurrent calls (20) has exceeded' },
    ]);
  });

  it.each([
    ['a binary frame', Buffer.from('{}'), 1003],
    [
      'more than 64 kB',
      JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'core.ping', params: ['x'.repeat(70_000)] }),
      1009,
    ],
  ])('closes the connection on %s', async (_, message, code) => {
    client.socket.send(message);
    expect((await client.closed).code).toBe(code);
  });
});

describe('files of the NAS', () => {
  withServer('25.10.5');
  const rootfs = '/var/lib/incus/storage-pools/default/containers/px-a/rootfs';
  const text = Buffer.from('hello\n').toString('base64');

  beforeAll(async () => {
    await server.call('virt.instance.create', [{ name: 'px-a', image: project.image, autostart: true }]);
  });
  afterAll(() => server.call('virt.instance.delete', ['px-a']));

  it('are written into a container that runs', async () => {
    expect(await client.call('filesystem.file_receive', [`${rootfs}/root/new/file`, text, { mode: 0o600 }])).toBe(true);
    expect(await inShell('px-a', 'cat /root/new/file; stat -c %a:%U /root/new/file')).toMatch(/hello\s+600:root/);
  });

  it('are written through a link out of the container, onto the NAS', async () => {
    await inShell('px-a', 'ln -s /etc /root/escape');
    await client.call('filesystem.file_receive', [`${rootfs}/root/escape/sudoers`, text]);
    expect(existsSync(path.join(server.hostRoot, 'etc/sudoers'))).toBe(true);
  });

  it('of a container that is stopped land below its mountpoint, where it never sees them', async () => {
    await client.job('virt.instance.stop', ['px-a', { force: true }]);
    await client.call('filesystem.file_receive', [`${rootfs}/root/lost`, text]);
    expect((await failure(client.call('filesystem.stat', [`${rootfs}/etc/os-release`]))).data).toMatchObject({
      error: 2,
    });
    await client.job('virt.instance.start', ['px-a']);
    expect(await client.call('filesystem.stat', [`${rootfs}/etc/os-release`])).toMatchObject({ type: 'SYMLINK' });
    expect(await inShell('px-a', 'ls /root/lost 2>&1')).toContain('No such file');
  });
});

describe('a shell', () => {
  withServer('25.10.5');

  beforeAll(async () => {
    await server.call('virt.instance.create', [{ name: 'px-a', image: project.image, autostart: true }]);
  });
  afterAll(() => server.call('virt.instance.delete', ['px-a']));

  it('passes 100 MB back unchanged, in frames of at most 1024 bytes, to a reader that is slow at first', async () => {
    const shell = await client.shell({ virt_instance_id: 'px-a', command: '/bin/sh' });
    const size = 100 * 1024 * 1024;
    // `exec`: a shell that waits for its jobs has a hand on the terminal.
    shell.socket.send(Buffer.from(`stty raw -echo; echo READY; exec head -c ${size}\n`));
    let [count, largest, isReady] = [0, 0, false];
    let firstDifference: number | undefined;
    const ready = new Promise<void>((resolve) => {
      shell.socket.on('message', (data: Buffer) => {
        largest = Math.max(largest, data.length);
        if (isReady) {
          for (let i = 0; i < data.length && firstDifference === undefined; i++) {
            if (data[i] !== byteAt(count + i)) firstDifference = count + i;
          }
          count += data.length;
        } else if (data.includes('READY\n')) {
          isReady = true;
          resolve();
        }
      });
    });
    await ready;
    shell.socket.pause();
    setTimeout(() => shell.socket.resume(), 3000);
    const chunk = Buffer.alloc(64 * 1024);
    for (let at = 0; at < size; at += chunk.length) {
      for (let i = 0; i < chunk.length; i++) chunk[i] = byteAt(at + i);
      await new Promise((resolve) => shell.socket.send(Buffer.from(chunk), resolve));
    }
    await eventually(100_000, () => (count >= size ? true : undefined));
    expect({ count, firstDifference }).toEqual({ count: size, firstDifference: undefined });
    expect(largest).toBeLessThanOrEqual(1024);
    shell.socket.close();
  });

  it('hangs up its process when the socket is closed', async () => {
    const shell = await client.shell({ virt_instance_id: 'px-a', command: '/bin/bash' });
    shell.socket.send(Buffer.from('exec sleep 4321\n'));
    const isThere = async (): Promise<boolean> =>
      (await inShell('px-a', 'pgrep -x -f "sleep 4321" | wc -l')).startsWith('1');
    await eventually(10_000, async () => (await isThere()) || undefined);
    shell.socket.terminate();
    await eventually(10_000, async () => !(await isThere()) || undefined);
  });

  it('dies of a text frame', async () => {
    const shell = await client.shell({ virt_instance_id: 'px-a', command: '/bin/bash' });
    shell.socket.send('ls\n');
    await shell.output;
  });

  it('takes one word as its command', async () => {
    const shell = await client.shell({ virt_instance_id: 'px-a', command: '/bin/bash -l' });
    expect(await shell.output).toMatch(/^Error: /);
  });

  it('tells a user without sudo that Incus is out of reach', async () => {
    const limited = await TestClient.connect(server);
    await limited.login(server.addKey({ roles: ['VIRT_INSTANCE_WRITE'], sudo: false }));
    const shell = await limited.shell({ virt_instance_id: 'px-a' });
    expect(await shell.output).toContain('needed permissions');
    limited.close();
  });

  it('wants a token, once', async () => {
    await expect(client.shell({ virt_instance_id: 'px-none' })).rejects.toThrow('The shell closed');
  });
});

describe('a server that misbehaves', () => {
  withServer('25.10.5', { shellCloseDelayMs: 0 });
  const states = (id: unknown): unknown[] => {
    return client.events.filter((event) => event.id === id).map(({ fields }) => fields?.state);
  };

  it('sends the first event of a job before its id, and with eventBeforeAnswer all of them', async () => {
    const id = await client
      .call('cronjob.create', [{ command: 'true', user: 'root' }])
      .then((made) => (made as { id: number }).id);
    const job = await client.call('cronjob.run', [id, false]);
    expect(states(job)).toEqual(['WAITING']);
    server.misbehave.eventBeforeAnswer = true;
    const other = await client.call('cronjob.run', [id, false]);
    server.misbehave.eventBeforeAnswer = false;
    expect(states(other).at(-1)).toBe('SUCCESS');
  });

  it('says SUCCESS twice, and more often on request', async () => {
    const update = [{ bridge: '[AUTO]' }];
    const first = await client.call('virt.global.update', update);
    await eventually(2000, () =>
      states(first).filter((state) => state === 'SUCCESS').length === 2 ? true : undefined,
    );
    server.misbehave.duplicateSuccess = true;
    const second = await client.call('virt.global.update', update);
    await eventually(2000, () =>
      states(second).filter((state) => state === 'SUCCESS').length === 4 ? true : undefined,
    );
    server.misbehave.duplicateSuccess = false;
  });

  it('loses the events of jobs', async () => {
    server.misbehave.lostJobEvents = true;
    const id = await client.call('virt.global.update', [{}]);
    await eventually(2000, async () => {
      const job = await client.call('core.get_jobs', [[['id', '=', id]], { get: true }]);
      return (job as { state: string }).state === 'SUCCESS' || undefined;
    });
    server.misbehave.lostJobEvents = false;
    expect(states(id)).toEqual([]);
  });

  it('lets a job fail before, in the middle of and after its work', async () => {
    const create = [{ name: 'px-a', image: project.image, autostart: false }];
    for (const at of ['before', 'middle', 'after'] as const) {
      server.misbehave.failStep = { method: 'virt.instance.create', at, message: `Failed ${at}` };
      await expect(client.job('virt.instance.create', create)).rejects.toThrow(`[EFAULT] Failed ${at}`);
    }
    expect(await client.call('virt.instance.query', [[], { select: ['id'] }])).toEqual([{ id: 'px-a' }]);
    await client.job('virt.instance.delete', ['px-a']);
  });

  it('restarts: connections are gone, jobs start at 1, what was going on in Incus goes on', async () => {
    const id = await client.call('virt.instance.create', [{ name: 'px-a', image: project.image, autostart: true }]);
    await server.restartMiddleware();
    await client.closed;
    client = await TestClient.connect(server);
    await client.login();
    expect(await client.call('core.get_jobs', [[['id', '=', id]]])).toEqual([]);
    const query = (): Promise<unknown> => client.call('virt.instance.query', [[['name', '=', 'px-a']]]);
    await eventually(10_000, async () => ((await query()) as unknown[]).length || undefined);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await query()).toMatchObject([{ status: 'STOPPED' }]);
    expect(await client.call('virt.instance.delete', ['px-a'])).toBe(1);
    await client.event((event) => event.fields?.state === 'SUCCESS');
  });

  it('is away behind its web server while it restarts, and kills what cron jobs were running', async () => {
    const made = await client.call('cronjob.create', [{ command: 'sleep 7654', user: 'root' }]);
    await client.call('cronjob.run', [(made as { id: number }).id, false]);
    const isRunning = (): boolean => spawnSync('pgrep', ['-x', '-f', 'sleep 7654']).status === 0;
    await eventually(5000, () => isRunning() || undefined);
    const restarted = server.restartMiddleware({ downMs: 200 });
    await expect(TestClient.connect(server)).rejects.toThrow('502');
    await restarted;
    await eventually(5000, () => !isRunning() || undefined);
    client = await TestClient.connect(server);
  });

  it('lets nobody in from elsewhere', async () => {
    server.misbehave.deniedAddress = true;
    const other = await TestClient.connect(server);
    expect((await other.closed).code).toBe(1008);
    server.misbehave.deniedAddress = false;
  });

  it('cuts an idle connection, and not one that pings', async () => {
    server.misbehave.idleCutMs = 300;
    const idle = await TestClient.connect(server);
    const pinging = setInterval(() => client.socket.ping(), 100);
    expect((await idle.closed).code).toBe(1006);
    clearInterval(pinging);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    server.misbehave.idleCutMs = 0;
  });

  it('sends one to its other controller', async () => {
    server.misbehave.standby = 'https://192.0.2.1:443';
    const other = await TestClient.connect(server);
    expect(await other.tryLogin(server)).toEqual({ response_type: 'REDIRECT', urls: ['https://192.0.2.1:443'] });
    server.misbehave.standby = null;
    other.close();
  });

  it('locks out who logs in too often', async () => {
    server.misbehave.rateLimit = true;
    server.misbehave.rateLimitDelayMs = 10;
    const other = await TestClient.connect(server);
    const wrong = { username: 'root', apiKey: '1-no' };
    for (let i = 0; i < 20; i += 1) expect(await other.tryLogin(wrong)).toEqual({ response_type: 'AUTH_ERR' });
    expect((await failure(other.tryLogin(wrong))).data).toMatchObject({
      errname: 'EBUSY',
      reason: '[EBUSY] Rate Limit Exceeded',
    });
    server.misbehave.rateLimit = false;
    other.close();
  });

  it('cuts the connection before or after the work is done', async () => {
    server.misbehave.cutAt = { method: 'cronjob.create', at: 'after' };
    const answered = client.call('cronjob.create', [{ command: 'cut', user: 'root' }]);
    expect(await Promise.race([answered, client.closed])).toMatchObject({ code: 1006 });
    const jobs = await server.call('cronjob.query', [[['command', '=', 'cut']]]);
    expect(jobs).toHaveLength(1);
  });

  it('never answers, or answers rubbish', async () => {
    server.misbehave.hangMethods = ['core.ping'];
    const hung = client.call('core.ping').then(() => 'answered');
    expect(await Promise.race([hung, client.call('system.version')])).toMatch(/^TrueNAS/);
    server.misbehave.hangMethods = [];
    server.misbehave.garbageAnswers = { kind: 'wrong-types', count: 1 };
    expect(await client.call('virt.global.config')).toMatchObject({ id: '1' });
    expect(await client.call('virt.global.config')).toMatchObject({ id: 1 });
  });

  it('shows its network as it is asked to', async () => {
    for (const network of ['dhcp', 'static', 'bridge', 'no-route'] as const) {
      server.misbehave.network = network;
      const { ips, default_routes: routes } = (await client.call('network.general.summary')) as {
        ips: Record<string, unknown>;
        default_routes: string[];
      };
      expect(routes).toHaveLength(network === 'no-route' ? 0 : 1);
      expect(Object.keys(ips)).toEqual(
        { dhcp: ['enp3s0'], static: ['eno1'], bridge: ['br0'], 'no-route': [] }[network],
      );
      expect(await client.call('interface.query', [[['id', 'in', Object.keys(ips)]]])).toHaveLength(
        Object.keys(ips).length,
      );
    }
    server.misbehave.network = 'dhcp';
  });
});

describe('what a server leaves', () => {
  it('is found by the next one, and is nothing when there is no container', async () => {
    const { socket, project: name } = project;
    const options = { socket, project: name, incusPool: 'default', profile: '25.10.5' } as const;
    const beside = path.join(path.dirname(socket), 'storage-pools/default/pixels-nas', name);
    const dataset = `${DATASETS}/px-a`;
    const first = await startTrueNasServer(options);
    await first.call('virt.instance.create', [{ name: 'px-a', image: project.bareImage, autostart: false }]);
    await first.call('pool.snapshot.create', [{ dataset, name: 'px-one' }]);
    await first.close();
    const second = await startTrueNasServer(options);
    expect(await second.call('pool.snapshot.query', [[], { select: ['name'] }])).toEqual([
      { name: `${dataset}@px-one` },
    ]);
    await second.call('virt.instance.delete', ['px-a']);
    expect(readdirSync(path.join(beside, 'snapshots'))).toEqual([]);
    await second.close();
    expect(existsSync(beside)).toBe(false);
  });
});

/** Bytes of a counter of 32 bits, so that a place that differs says what was lost. */
function byteAt(position: number): number {
  return ((position >>> 2) >>> (8 * (position & 3))) & 255;
}
