import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OTHER_KEY } from './loginCases';
import { outcome, World, type Outcome } from './world';

/* What holds for the tunnel to Incus beyond what every way in must do. */

let world: World;
beforeAll(async () => {
  world = await World.open();
  return () => world.close();
});

describe('the tunnel', () => {
  beforeEach(() => world.list(world.entry('sshbox')));

  it('is found through the Include in a person’s own configuration', async () => {
    await world.ssh.applyInclude(await world.ssh.planInclude());
    fs.appendFileSync(world.ssh.paths.userConfig, 'Host *\n  User nobody\n  ProxyJump nowhere.invalid\n');
    const { stdout, stderr } = await run('ssh', '-F', world.ssh.paths.userConfig, 'sshbox.pixels', 'id -un');
    expect({ stdout, stderr }).toEqual({ stdout: 'pixel\n', stderr: '' });
  });

  it('goes through a remote server too', async () => {
    await world.ssh.sync([world.entry('sshbox')], overHttps());
    expect(await world.login('sshbox.pixels', 'id -un')).toEqual({ exitCode: 0, stdout: 'pixel\n', stderr: '' });
  });

  it('carries sftp and port forwarding', async () => {
    const got = path.join(world.home, 'got');
    const options = ['-q', '-F', world.ssh.paths.config];
    expect((await run('scp', ...options, 'sshbox.pixels:/etc/hostname', got)).exitCode).toBe(0);
    expect(fs.readFileSync(got, 'utf8')).toBe('px-sshbox\n');
    // Port 22 inside, seen through the tunnel: the banner of the listening sshd.
    const forwarded = world.start('-W', 'localhost:22', 'sshbox.pixels');
    const banner = await new Promise<string>((resolve) =>
      forwarded.stdout!.once('data', (chunk) => resolve(String(chunk))),
    );
    forwarded.kill();
    expect(banner).toMatch(/^SSH-2.0-/);
  });

  it('needs no network in the sandbox', async () => {
    await world.exec('sshbox', ['ip', 'link', 'set', 'eth0', 'down']);
    try {
      expect(await world.login('sshbox.pixels', 'ip -brief link show eth0')).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining('DOWN') as string,
      });
    } finally {
      await world.exec('sshbox', ['ip', 'link', 'set', 'eth0', 'up']);
    }
  });

  it('starts no sandbox whose egress policy it cannot put in force', async () => {
    const setPolicy = (policy: string) =>
      world.project.raw.must('PATCH', '/1.0/instances/px-sshbox', { config: { 'user.pixels.egress': policy } });
    await world.setState('sshbox', 'stop');
    await setPolicy('{"v":99}');
    try {
      const { exitCode, stderr } = await world.login('sshbox.pixels', 'id -un');
      expect(exitCode).toBe(255);
      expect(stderr).toContain('The egress policy that is kept with the sandbox cannot be read.');
      expect(await world.status('sshbox')).toBe('Stopped');
    } finally {
      await setPolicy('');
    }
    expect(await world.login('sshbox.pixels', 'id -un')).toMatchObject({ exitCode: 0, stdout: 'pixel\n' });
  });

  it('serves three logins at once', async () => {
    const logins = await Promise.all(
      ['a', 'b', 'c'].map((word) => world.login('sshbox.pixels', `sleep 0.3; echo ${word}`)),
    );
    expect(logins.map(({ stdout }) => stdout.trim())).toEqual(['a', 'b', 'c']);
  });

  it('puts back what a login needs when it is missing in the sandbox, once', async () => {
    await world.exec('sshbox', ['sh', '-c', "sed -i '/UNKNOWN/d' /etc/hosts; systemctl stop ssh; rm -rf /run/sshd"]);
    const started = Date.now();
    for (let round = 0; round < 2; round++) expect((await world.login('sshbox.pixels', 'true')).exitCode).toBe(0);
    expect(Date.now() - started).toBeLessThan(4000); // one look-up of UNKNOWN alone takes that
    await world.exec('sshbox', ['sh', '-c', 'test "$(grep -c UNKNOWN /etc/hosts)" = 1']);
  });

  it('leaves nothing running in the sandbox, however a connection ends', async () => {
    await world.login('sshbox.pixels', 'true');
    const cut = world.start('sshbox.pixels', 'sleep 1000');
    const killed = world.start('sshbox.pixels', 'sleep 1001');
    const begun = 'until pgrep -fx "sleep 1000" && pgrep -fx "sleep 1001"; do sleep 0.1; done';
    await world.exec('sshbox', ['timeout', '30', 'sh', '-c', begun]);
    const both = Promise.all([outcome(cut), outcome(killed)]);
    cut.kill('SIGTERM');
    killed.kill('SIGKILL');
    await both;
    // The brackets keep the pattern from finding itself. What the login ran may live on, as with any sshd.
    const gone =
      'for try in 1 2 3 4 5 6; do pgrep -f "sshd: [p]ixel|sshd [-]i" >/dev/null || exit 0; sleep 0.5; done; exit 1';
    await world.exec('sshbox', ['sh', '-c', gone]);
    await world.exec('sshbox', ['pkill', '-x', 'sleep']);
  });

  it('leaves nothing behind when it is given up while the sandbox boots', async () => {
    for (const patienceMs of [50, 150, 250, 350]) {
      await world.setState('sshbox', 'stop');
      await world.setState('sshbox', 'start');
      const given = world.start('sshbox.pixels', 'true');
      await sleep(patienceMs);
      const end = outcome(given);
      given.kill('SIGKILL');
      await end;
      const gone =
        'for try in 1 2 3 4 5 6 7 8; do pgrep -f "sshd [-]i|/run/sshd/[b]oot" || ls /run/sshd | grep boot || exit 0; sleep 0.5; done; exit 1';
      await world.exec('sshbox', ['sh', '-c', gone]);
    }
  });

  it('ends at once when it is told to, without a word', async () => {
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) {
      const tunnel = spawn(world.ssh.paths.launcher, ['sshbox']);
      let said = '';
      tunnel.stderr.on('data', (chunk) => (said += String(chunk)));
      await new Promise((resolve) => tunnel.stdout.once('data', resolve));
      const asked = Date.now();
      tunnel.kill(signal);
      expect(await new Promise((resolve) => tunnel.once('close', resolve))).toBe(255);
      expect(Date.now() - asked).toBeLessThan(1000);
      expect(said).toBe('');
    }
  });

  it('ends when its input ends', async () => {
    const { exitCode, stdout } = await run(world.ssh.paths.launcher, 'sshbox');
    expect(stdout).toMatch(/^SSH-2.0-/);
    expect(exitCode).toBe(255); // as sshd does when its client goes away
  });
});

describe('what cannot be reached is told in one sentence', () => {
  const sentence = (text: string) => text.split('\n').filter((line) => line.startsWith('pixels: '));

  it('a sandbox that is gone, listed or not', async () => {
    await world.list(world.entry('gone', { hostKey: OTHER_KEY }));
    for (const alias of ['gone.pixels', 'never.pixels']) {
      const { exitCode, stderr } = await world.login(alias, 'true');
      expect(exitCode).toBe(255);
      expect(sentence(stderr)).toEqual([expect.stringMatching(/^pixels: .*(gone|never).*\.$/) as string]);
    }
  });

  it('a sandbox that is there but not listed', async () => {
    await world.list();
    const { exitCode, stderr } = await world.login('sshbox.pixels', 'true');
    expect(exitCode).toBe(255);
    expect(sentence(stderr)).toEqual([
      'pixels: sshbox is not in the SSH configuration yet. Run "pixels ssh-config", then connect again.',
    ]);
  });

  it('a direct one without an address', async () => {
    await world.list(world.entry('sshbox', { transport: 'direct' }));
    const { exitCode, stderr } = await world.login('sshbox.pixels', 'true');
    expect(exitCode).toBe(255);
    expect(sentence(stderr)).toEqual([expect.stringMatching(/^pixels: sshbox has no address\. /) as string]);
  });

  it('a server that goes away in the middle', async () => {
    const relay = path.join(world.home, 'relay.socket');
    const connections = new Set<net.Socket>();
    const server = net.createServer((near) => {
      const far = net.connect(world.project.socket);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        connections.add(from);
        from.on('error', () => to.destroy()).pipe(to);
      }
    });
    await new Promise<void>((resolve) => server.listen(relay, resolve));
    await world.ssh.sync([world.entry('sshbox')], { ...world.target, socket: relay });
    const child = world.start('sshbox.pixels', 'echo in; sleep 100');
    const result = outcome(child);
    await new Promise((resolve) => child.stdout!.once('data', resolve));
    for (const connection of connections) connection.destroy();
    server.close();
    const { exitCode, stdout, stderr } = await result;
    expect({ exitCode, stdout }).toEqual({ exitCode: 255, stdout: 'in\n' });
    expect(sentence(stderr)).toHaveLength(1);
  });

  it('a server that is not there', async () => {
    await world.ssh.sync([world.entry('sshbox')], { ...world.target, socket: path.join(world.home, 'no.socket') });
    const started = Date.now();
    const { exitCode, stderr } = await world.login('sshbox.pixels', 'true');
    expect(exitCode).toBe(255);
    expect(sentence(stderr)).toHaveLength(1);
    expect(Date.now() - started).toBeLessThan(2000);
  });
});

function run(program: string, ...args: string[]): Promise<Outcome> {
  return outcome(spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }));
}

/** The same daemon over HTTPS, as `incusServer()` of a configuration describes it. */
function overHttps(): Record<string, unknown> {
  const { PIXELS_TEST_HTTPS: url, PIXELS_TEST_SERVER_CERT: serverCertFile } = process.env;
  const { PIXELS_TEST_CLIENT_CERT: clientCertFile, PIXELS_TEST_CLIENT_KEY: clientKeyFile } = process.env;
  const { project } = world.project;
  return { kind: 'https', url, clientCertFile, clientKeyFile, serverCertFile, project };
}
