import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endOf, PixelsCommand } from '../support/pixelsCommand';
import { makeTestProject, type TestProject } from '../support/testProject';

interface SandboxJson {
  name: string;
  status: string;
  addresses: string[];
  cpu: number | null;
  memoryMiB: number | null;
  createdAt: string;
  checkpoints: number;
  action: { name: string } | null;
  ssh: { host: string; user: string; port: number; alias: string };
}

let project: TestProject;
let pixels: PixelsCommand;

beforeAll(async () => {
  project = await makeTestProject('pixels-cli');
  pixels = new PixelsCommand(project);
  await pixels.must('create', 'source');
  await pixels.must('exec', 'source', '--', 'sh', '-c', 'echo before > file');
  await pixels.must('cp', 'create', 'source', '--label', 'ready');
});

afterAll(async () => {
  pixels.remove();
  await project.remove();
});

async function instances(): Promise<string[]> {
  const all = (await project.raw.must('GET', '/1.0/instances')) as string[];
  return all.map((url) => url.replace(/^.*\//, '').replace(/\?.*$/, ''));
}

async function status(name: string): Promise<SandboxJson> {
  return (await pixels.json('status', name)) as SandboxJson;
}

describe('the main job', () => {
  it('create, list, exec, checkpoint, restore, stop, start and destroy, as a script does them', async () => {
    const created = (await pixels.json('create', 'job', '--cpu', '1', '--memory', '512')) as SandboxJson;
    expect(created).toMatchObject({ name: 'job', status: 'running', cpu: 1, memoryMiB: 512, checkpoints: 0 });
    expect(created.ssh).toEqual({ host: created.addresses[0], user: 'pixel', port: 22, alias: 'job.pixels' });
    expect(created.addresses[0]).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(Math.abs(Date.now() - Date.parse(created.createdAt))).toBeLessThan(60_000);

    const listed = (await pixels.json('list')) as SandboxJson[];
    expect(listed.map(({ name }) => name)).toEqual(['job', 'source']);
    expect(await pixels.must('list')).toMatch(/^NAME .*\njob +running +[\d.]+ +1 +512 MiB +0 +\d+s\nsource /);

    await pixels.must('exec', 'job', '--', 'sh', '-c', 'echo one > file');
    expect(await pixels.json('checkpoint', 'create', 'job', '--label', 'one')).toMatchObject({ label: 'one' });
    await pixels.must('exec', 'job', '--', 'sh', '-c', 'echo two > file');
    await pixels.must('cp', 'restore', 'job', 'one');
    expect(await pixels.must('exec', 'job', '--', 'cat', 'file')).toBe('one\n');
    const checkpoints = (await pixels.json('cp', 'list', 'job')) as { label: string; createdAt: string }[];
    expect(checkpoints.map(({ label }) => label.replace(/\d.*/, ''))).toEqual(['one', 'before-restore-']);
    expect(Object.keys(checkpoints[0]!)).toEqual(['label', 'createdAt', 'sizeBytes']);
    expect(await pixels.must('cp', 'list', 'job')).toMatch(/^LABEL +CREATED +AGE +SIZE\none +20/);

    await pixels.must('stop', 'job');
    expect(await status('job')).toMatchObject({ status: 'stopped', addresses: [] });
    await pixels.must('start', 'job');
    await pixels.must('restart', 'job', '--force');
    expect(await pixels.must('status', 'job')).toMatch(/^Name: +job\nStatus: +running\n/);
    await pixels.must('cp', 'delete', 'job', 'one');
    await pixels.must('destroy', 'job');
    expect(await instances()).toEqual(['px-source']);
  });

  it('names are bare, and may be typed with their prefix', async () => {
    expect(await status('px-source')).toMatchObject({ name: 'source' });
  });

  it('without provisioning, a sandbox is its image and commands run as root', async () => {
    expect(await pixels.must('create', 'plain', '--no-provision')).toBe('pixels console plain\n');
    expect(await pixels.must('exec', 'plain', '--', 'sh', '-c', 'id -un; pwd; getent passwd pixel || echo none')).toBe(
      'root\n/root\nnone\n',
    );
    await pixels.must('destroy', 'plain', '--yes');
  });

  it('says what it does on standard error, and nothing with --quiet or --json', async () => {
    const loud = await pixels.run(['stop', 'source', '--force']);
    expect(loud).toMatchObject({ exit: 0, stdout: Buffer.alloc(0) });
    expect(loud.stderr).toBe('Stopping source…\nsource is stopped.\n');
    expect(await pixels.run(['start', 'source', '--quiet'])).toEqual({ exit: 0, stdout: Buffer.alloc(0), stderr: '' });
    const json = await pixels.run(['restart', 'source', '--force', '--json']);
    expect(json).toMatchObject({ exit: 0, stderr: '' });
    expect(JSON.parse(json.stdout.toString())).toMatchObject({ name: 'source', status: 'running' });
  });

  it('shows every call to the server with --verbose, on standard error', async () => {
    const { stdout, stderr } = await pixels.run(['list', '--verbose', '--json']);
    expect(JSON.parse(stdout.toString())).toHaveLength(1);
    expect(stderr).toMatch(/ms {2}incus GET \/1\.0\/instances\?recursion=1\S* 200 \d+\.\d ms/);
  });
});

describe('exec', () => {
  it('carries binary data both ways unchanged', async () => {
    const data = randomBytes(20 * 1024 * 1024);
    const { exit, stdout, stderr } = await pixels.run(['exec', 'source', '--', 'cat'], { input: data });
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(createHash('sha256').update(stdout).digest('hex')).toBe(createHash('sha256').update(data).digest('hex'));
  });

  it('keeps standard output and error apart', async () => {
    const ended = await pixels.run(['exec', 'source', '--', 'sh', '-c', 'printf out; printf err >&2; exit 7']);
    expect(ended).toEqual({ exit: 7, stdout: Buffer.from('out'), stderr: 'err' });
  });

  it("closes the command's input when its own ends", async () => {
    const ended = await pixels.run(['exec', 'source', '--', 'wc', '-c'], { input: 'x'.repeat(1000) });
    expect(ended.stdout.toString()).toBe('1000\n');
  });

  it('goes on after the end of its input', async () => {
    const ended = await pixels.run(['exec', 'source', '--', 'sh', '-c', 'cat; sleep 4; echo done']);
    expect(ended.stdout.toString()).toBe('done\n');
  });

  it('ends with the command although nobody ends its input', async () => {
    const child = pixels.start(['exec', 'source', '--', 'echo', 'hello']);
    expect(await endOf(child)).toEqual({ exit: 0, stdout: Buffer.from('hello\n'), stderr: '' });
    const shell = await pixels.program('sh', '-c', 'yes | $PIXELS exec source -- head -c 10');
    expect(shell.stdout.toString()).toBe('y\n'.repeat(5));
  });

  it('works with a standard input that is closed', async () => {
    const shell = await pixels.program('sh', '-c', '$PIXELS exec source -- echo hello <&-');
    expect(shell).toMatchObject({ exit: 0, stdout: Buffer.from('hello\n') });
  });

  it('ends when nobody reads its output any more, and the command with it', async () => {
    const shell = await pixels.program('sh', '-c', '$PIXELS exec source -- sh -c "exec yes pixels-yes" | head -n 1');
    expect(shell.stdout.toString()).toBe('pixels-yes\n');
    await expect
      .poll(async () => (await pixels.run(['exec', 'source', '--', 'pgrep', '-fc', '^yes'])).stdout.toString(), {
        timeout: 10_000,
      })
      .toBe('0\n');
  });

  it('takes no more than the command does: a reader that is slow is not run over', async () => {
    const script = '$PIXELS exec source -- head -c 50000000 /dev/zero | { sleep 1; wc -c; }';
    expect((await pixels.program('sh', '-c', script)).stdout.toString()).toBe('50000000\n');
  });

  it('passes signals on to the command', async () => {
    const script = 'trap "echo got it; exit 5" INT; echo ready; while :; do sleep 0.1; done';
    const child = pixels.start(['exec', 'source', '--', 'sh', '-c', script]);
    child.stdout!.once('data', () => child.kill('SIGINT'));
    expect(await endOf(child)).toMatchObject({ exit: 5, stdout: Buffer.from('ready\ngot it\n') });
  });

  it('ends with 128 + N when signal N ended the command', async () => {
    expect(await pixels.run(['exec', 'source', '--', 'sh', '-c', 'kill -TERM $$'])).toMatchObject({ exit: 143 });
  });

  it('says when there is no such command', async () => {
    const { exit, stderr } = await pixels.run(['exec', 'source', '--', 'no-such-command']);
    expect(exit).toBe(127);
    expect(stderr).toContain('no-such-command');
  });

  it('answers at once when the sandbox is not there, or stopped', async () => {
    const started = performance.now();
    expect(await pixels.run(['exec', 'nobody', '--', 'true'])).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('nobody') as string,
    });
    await pixels.must('create', 'asleep', '--from', 'source:ready', '--no-provision');
    await pixels.must('stop', 'asleep', '--force');
    const before = performance.now();
    const stopped = await pixels.run(['exec', 'asleep', '--', 'true']);
    expect(stopped.exit).toBe(1);
    expect(stopped.stderr).toMatch(/^pixels: asleep is (stopped|not running)/);
    expect(performance.now() - before).toBeLessThan(2000);
    expect(before - started).toBeLessThan(30_000);
    await pixels.must('destroy', 'asleep');
  });
});

describe('a terminal', () => {
  /** `script` gives a program a terminal, as ssh or an editor would. */
  function onTerminal(commandLine: string, typed: string) {
    const command = `(${typed}) | script -qec '${commandLine}' /dev/null`;
    return pixels.program('bash', '-c', command);
  }

  it('exec -t gives the command a terminal of the same size', async () => {
    const { stdout } = await onTerminal(
      'stty rows 33 cols 101; $PIXELS exec -t source -- sh -c "tty; stty size"',
      'sleep 2',
    );
    expect(stdout.toString()).toMatch(/\/dev\/pts\/\d+\r\n33 101\r\n/);
  });

  it('console opens the shell of the user, and leaves the terminal as it was', async () => {
    const { stdout } = await onTerminal(
      '$PIXELS console source --no-persist; echo exit=$?; stty -a | grep -o " -\\?echo "',
      'sleep 2; echo "id -un; exit 3"; sleep 2',
    );
    const text = stdout.toString();
    expect(text).toMatch(/pixel\r\n/);
    expect(text).toMatch(/exit=3\r\n echo /);
  });

  it('console sessions go on when the terminal is gone', async () => {
    await onTerminal('timeout --foreground 3 $PIXELS console source -s work', 'sleep 1; echo "sleep 1234"; sleep 3');
    const sessions = (await pixels.json('sessions', 'source')) as { session: string; attached: boolean }[];
    expect(sessions).toMatchObject([{ session: 'work', attached: false }]);
    expect(await pixels.must('exec', 'source', '--', 'pgrep', '-f', 'sleep 1234')).toMatch(/^\d+\n$/);
    expect(await pixels.must('sessions', 'source')).toMatch(/^SESSION +ATTACHED +AGE\nwork +no /);
    await pixels.must('exec', 'source', '--', 'tmux', 'kill-server');
  });

  it('a console that is stopped in the background of a shell holds up nobody else', async () => {
    const script =
      '$PIXELS console source --no-persist & sleep 4; ps -o stat= -p $!; $PIXELS list --json; kill -KILL $!';
    const { stdout } = await onTerminal(`set -m; ${script}`, 'sleep 5');
    expect(stdout.toString()).toMatch(/^T[^]*"name": "source"/m);
  });

  it.each([
    ['Enter', 'echo'],
    ['Ctrl-C', "printf '\\003'"],
  ])('destroy asks there, says what is lost, and takes %s as no', async (_, typed) => {
    const { stdout } = await onTerminal('$PIXELS destroy source; echo exit=$?', `sleep 1.5; ${typed}; sleep 1`);
    expect(stdout.toString()).toMatch(/Its checkpoints are lost too: ready\./);
    expect(stdout.toString()).toMatch(/source stays\.\r\nexit=1/);
    expect(await instances()).toContain('px-source');
  });
});

describe('ssh', () => {
  it('logs in by the name of the sandbox, with a checked host key', async () => {
    const config = path.join(pixels.home, '.ssh', 'config');
    const own = path.join(pixels.home, '.ssh', 'pixels', 'config');
    const login = (file: string) =>
      pixels.program('ssh', '-F', file, '-o', 'BatchMode=yes', 'source.pixels', 'id -un; cat file');
    expect(existsSync(config)).toBe(false);
    expect(await login(own)).toMatchObject({ exit: 0, stdout: Buffer.from('pixel\nbefore\n') });

    writeFileSync(config, 'Host *\n  User nobody\n', { mode: 0o600 });
    const refused = await pixels.run(['ssh-config', '--install']);
    expect(refused).toMatchObject({ exit: 2 });
    expect(readFileSync(config, 'utf8')).toBe('Host *\n  User nobody\n');
    const installed = await pixels.run(['ssh-config', '--install', '--yes']);
    expect(installed.stderr).toContain(`+Include ${own}\n`);
    expect(await login(config)).toMatchObject({ exit: 0, stdout: Buffer.from('pixel\nbefore\n') });

    expect(await pixels.must('ssh-config')).toContain('Host source.pixels');
    expect(await pixels.json('ssh-config')).toMatchObject({ included: true, hosts: [{ alias: 'source.pixels' }] });
    await pixels.must('ssh-config', '--remove', '--yes');
    expect(readFileSync(config, 'utf8')).toBe('Host *\n  User nobody\n');
    expect(existsSync(path.join(pixels.home, '.ssh', 'pixels'))).toBe(false);
  });

  it('works at once after create, which says how', async () => {
    const command = (await pixels.must('create', 'fresh')).trim();
    expect(command).toMatch(/^ssh -F \S+ fresh\.pixels$/);
    expect(await pixels.program('sh', '-c', `${command} -o BatchMode=yes id -un`)).toMatchObject({
      exit: 0,
      stdout: Buffer.from('pixel\n'),
    });
    await pixels.must('destroy', 'fresh');
  });
});

describe('bad input', () => {
  it.each([
    [['create', 'source'], 1, /^pixels: There is already a sandbox named "source"/m],
    [['create', 'px-source'], 1, /^pixels: There is already a sandbox named "source"/m],
    [['create', 'Bad'], 2, /"Bad" has capital letters; use "bad"/],
    [['create', 'new', '--image', 'no/such-image'], 1, /^pixels: .*no\/such-image/m],
    [['create', 'new', '--cpu', '0'], 2, /1 or more/],
    [['create', 'new', '--memory', '999999999'], 2, /The server has \d+ MiB of memory/],
    [['create', 'new', '--from', 'nobody'], 1, /^pixels: .*nobody/m],
    [['clone', 'source:nothing', 'new'], 1, /^pixels: .*nothing/m],
    [['start', 'nobody'], 1, /^pixels: .*nobody/m],
    [['stop', 'nobody'], 1, /^pixels: .*nobody/m],
    [['status', 'nobody'], 1, /^pixels: .*nobody/m],
    [['destroy', 'nobody'], 1, /^pixels: .*nobody/m],
    [['finish', 'nobody'], 1, /^pixels: .*nobody/m],
    [['sessions', 'nobody'], 1, /^pixels: .*nobody/m],
    [['cp', 'create', 'source', '--label', 'ready'], 1, /^pixels: .*ready/m],
    [['cp', 'create', 'source', '--label', 'a b'], 2, /"a b" may only have/],
    [['cp', 'create', 'source', '--label', 'before-restore-x'], 2, /made by a restore/],
    [['cp', 'create', 'nobody'], 1, /^pixels: .*nobody/m],
    [['cp', 'list', 'nobody'], 1, /^pixels: .*nobody/m],
    [['cp', 'delete', 'source', 'nothing'], 1, /^pixels: .*nothing/m],
    [['cp', 'restore', 'source', 'nothing'], 1, /source has no checkpoint "nothing"\.\nIt has: ready\./],
    [['console', 'source'], 2, /This needs a terminal/],
  ])('%j exits with %d and a sentence, and changes nothing', async (args, exit, sentence) => {
    const before = [await instances(), await status('source')];
    const ended = await pixels.run(args);
    expect(ended.stderr).toMatch(sentence);
    expect(ended.exit).toBe(exit);
    expect(ended.stderr).not.toMatch(/\n {4}at |\[object|undefined/);
    expect([await instances(), await status('source')]).toEqual(before);
  });

  it('a daemon that is not there', async () => {
    const { exit, stderr } = await pixels.run(['list', '--socket', '/nowhere/unix.socket']);
    expect(stderr).toMatch(/^pixels: .*\/nowhere\/unix\.socket/);
    expect(exit).toBe(1);
  });

  it('finish has nothing to do where nothing was interrupted', async () => {
    expect(await pixels.run(['finish', 'source'])).toMatchObject({
      exit: 0,
      stderr: 'Nothing was interrupted on source.\n',
    });
  });
});

describe('two at once', () => {
  it('creating the same name: one gets it, the other is told', async () => {
    const both = await Promise.all([1, 2].map(() => pixels.run(['create', 'race', '--no-provision'])));
    expect(both.map(({ exit }) => exit).sort()).toEqual([0, 1]);
    expect(both.find(({ exit }) => exit === 1)?.stderr).toMatch(/already a sandbox named "race"|being done to race/);
    expect(await status('race')).toMatchObject({ status: 'running', action: null });
    await pixels.must('destroy', 'race');
  });

  it('clones of one source in the same second are machines of their own', async () => {
    const names = ['twin-a', 'twin-b'];
    await Promise.all(names.map((name) => pixels.must('clone', 'source:ready', name)));
    const identify = 'cat /etc/machine-id; cut -d" " -f2 /etc/ssh/ssh_host_ed25519_key.pub; hostname; cat file';
    const [a, b, source] = await Promise.all(
      [...names, 'source'].map(async (name) =>
        (await pixels.must('exec', name, '--', 'sh', '-c', identify)).split('\n'),
      ),
    );
    for (const line of [0, 1, 2]) expect(new Set([a![line], b![line], source![line]]).size).toBe(3);
    expect([a![3], b![3]]).toEqual(['before', 'before']);
    const logins = names.map((name) =>
      pixels.program('ssh', '-F', path.join(pixels.home, '.ssh/pixels/config'), `${name}.pixels`, 'hostname'),
    );
    const said = (await Promise.all(logins)).map(({ stdout, stderr }) => stdout.toString() + stderr);
    expect(said).toEqual(['px-twin-a\n', 'px-twin-b\n']);
    for (const name of names) await pixels.must('destroy', name);
  });
});

describe('Ctrl-C', () => {
  it.each(['Creating', 'Starting', 'Setting up'])('while it says "%s" leaves nothing', async (step) => {
    const child = pixels.start(['create', 'cancelled']);
    let said = '';
    child.stderr!.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes(step) && !child.killed) child.kill('SIGINT');
    });
    expect(await endOf(child)).toMatchObject({ exit: 1, stdout: Buffer.alloc(0) });
    expect(said).toMatch(/Cancelling.*\n(.*\n)*pixels: Cancelled\.\n$/);
    expect(await instances()).toEqual(['px-source']);
  });

  it('twice ends it at once; what is left says so, and can be finished', async () => {
    const child = pixels.start(['create', 'twice']);
    let interrupts = 0;
    child.stderr!.on('data', (chunk: Buffer) => {
      const wanted = chunk.includes('Setting up') || (chunk.includes('Cancelling') && interrupts === 1);
      if (wanted && interrupts++ < 2) child.kill('SIGINT');
    });
    const { exit } = await endOf(child);
    expect(exit).toBe(130);
    await sleep(300);
    if ((await instances()).includes('px-twice')) {
      expect((await status('twice')).action).toMatchObject({ name: 'create' });
      await pixels.must('finish', 'twice');
      expect(await status('twice')).toMatchObject({ status: 'running', action: null });
      await pixels.must('destroy', 'twice');
    }
  });
});
