import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allowing, egressOf, readPolicy, writePolicy, type Enforcement } from '../../src/egress';
import { gatewayMachine } from '../../src/incus/gateway/names';
import { changePolicy } from '../../src/sandbox/egress';
import { outputOf, outputOfSession } from '../../src/sandbox/exec';
import type { SandboxHost } from '../../src/sandbox/host';
import { gatewayMac } from '../../src/sandbox/gateway';
import { parseName } from '../../src/sandbox/name';
import { bridgeAddress } from '../support/closedNetwork';
import { escapes, tunnel, type Escape } from '../support/escapes';
import { Namespace } from '../support/namespaces';
import { endOf, PixelsCommand, type Ended } from '../support/pixelsCommand';
import { HOSTS, PRIVATE_ADDRESS, startTestInternet, type TestInternet } from '../support/testInternet';
import { incus, trueNas, type Server } from '../support/servers';
import { privateIncus } from '../../scripts/lib/private-incus.mjs';
import { makeTestProject, type TestProject } from '../support/testProject';
import { eventually } from './support';

/*
 * Both enforcements, by the command, on the real daemon. What a sandbox tries under the one inside it, it tries as its user; under the one
 * outside of it as root. All that is reached or not is in a namespace of this suite's own,
 * at addresses that nobody has; the host routes each of them there.
 */

const TRANSIT = { host: '10.98.7.1', world: '10.98.7.2' };
const CABLE = 'pxegr0';

let project: TestProject;
let pixels: PixelsCommand;
let host: SandboxHost;
let server: Server | undefined;
let world: Namespace;
let internet: TestInternet;
let gateway: string;
let network: { name: string; config: Record<string, string> };

beforeAll(async () => {
  project = await makeTestProject('pixels-egress');
  gateway = gatewayMachine(project.project);

  world = new Namespace('pxegr-world');
  removeCable(); // an earlier run may have been killed
  execFileSync('ip', ['link', 'add', CABLE, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', world.name]);
  execFileSync('ip', ['address', 'add', `${TRANSIT.host}/30`, 'dev', CABLE]);
  execFileSync('ip', ['link', 'set', CABLE, 'up']);
  world.ip('address', 'add', `${TRANSIT.world}/30`, 'dev', 'eth0');
  world.ip('link', 'set', 'eth0', 'up');
  world.ip('route', 'add', 'default', 'via', TRANSIT.host);
  const addresses = [HOSTS.allowed.v4, HOSTS.rotated.v4, HOSTS.forbidden.v4, '203.0.113.30', PRIVATE_ADDRESS];
  for (const address of addresses) execFileSync('ip', ['route', 'replace', `${address}/32`, 'via', TRANSIT.world]);
  internet = await startTestInternet(world, [TRANSIT.world]);

  const networks = (await project.raw.must('GET', '/1.0/networks?recursion=1')) as (typeof network)[];
  network = networks.find(({ config }) => /\d/.test(config['ipv4.address'] ?? ''))!;
  await setNetwork({ 'raw.dnsmasq': `server=/example/${TRANSIT.world}\nno-negcache` });
});

afterAll(async () => {
  await setNetwork({ 'raw.dnsmasq': '' });
  await disconnect();
  await project.remove();
  await world.close();
  removeCable();
  internet.close();
});

/** What follows is done on that server, with that in the configuration. */
async function connect(open: (project: TestProject) => Promise<Server>, enforcement: Enforcement): Promise<void> {
  await disconnect();
  server = await open(project);
  pixels = new PixelsCommand(server);
  host = server.connect();
  agent = enforcement === 'guest' ? 1000 : 0;
  configure(`[network]\nallow = ["allowed.example"]\nenforcement = "${enforcement}"\n`);
}

async function disconnect(): Promise<void> {
  if (server === undefined) return;
  host.close();
  pixels.remove();
  await server.close();
}

/** And the routes with it. */
function removeCable(): void {
  spawnSync('ip', ['link', 'delete', CABLE], { stdio: 'ignore' });
}

async function setNetwork(config: Record<string, string>): Promise<void> {
  await project.raw.must('PATCH', `/1.0/networks/${network.name}`, { config });
}

function configure(toml: string): void {
  const directory = path.join(pixels.home, '.config/pixels');
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, 'config.toml'), toml);
}

/** Whoever tries to get out. */
let agent = 1000;

/** What a script prints inside, without sudo. */
async function inside(name: string, script: string, uid = agent): Promise<string> {
  const command = ['setpriv', '--reuid', String(uid), '--clear-groups', '--no-new-privs', 'bash', '-c', script];
  const { stdout } = await outputOf(host, parseName(name), { command });
  return stdout.trim();
}

/** Which of these can be reached, at port 80 where none is named: `allowed.example+ 10.0.0.1:443-`. `?` has not answered in time. */
async function reach(name: string, ...targets: string[]): Promise<string> {
  const each = `
    for target in ${targets.join(' ')}; do
      port=80; case $target in *:*) port=\${target#*:} ;; esac
      for try in 1 2; do # a look-up may be lost
        timeout 4 bash -c 'exec 3<>"/dev/tcp/$0/$1" && read -r line <&3 && [ "$line" = hello ]' "\${target%:*}" $port 2>/dev/null
        code=$?; [ $code = 124 ] || break
      done
      case $code in 0) result=+ ;; 124) result='?' ;; *) result=- ;; esac
      printf '%s%s ' "$target" "$result"
    done`;
  return inside(name, each);
}

async function policyShown(name: string): Promise<{ mode: string; inForce: boolean | null; allow: string[] }> {
  return (await pixels.json('network', 'show', name)) as { mode: string; inForce: boolean | null; allow: string[] };
}

const EVERYWHERE = [
  'allowed.example',
  'rotated.allowed.example',
  'forbidden.example',
  HOSTS.forbidden.v4,
  PRIVATE_ADDRESS,
];
const ALLOWED_ONLY = `allowed.example+ rotated.allowed.example+ forbidden.example- ${HOSTS.forbidden.v4}- ${PRIVATE_ADDRESS}-`;
const ALL = EVERYWHERE.map((target) => `${target}+`).join(' ');

/** One that has just been started may have no address yet. */
async function soon(name: string, expected: string): Promise<void> {
  await expect.poll(() => reach(name, ...EVERYWHERE), { timeout: 15_000 }).toBe(expected);
}

/** What a script prints in the gateway, as root. */
async function inGateway(script: string): Promise<string> {
  const session = await host.gateway!.exec({ command: ['sh', '-c', script] });
  return (await outputOfSession(session)).stdout.trim();
}

/** Counts what comes to the host that may not be reached. */
const COUNTED = `table inet counted
delete table inet counted
table inet counted {
  counter out {}
  chain in {
    type filter hook prerouting priority raw; policy accept;
    ip daddr ${HOSTS.forbidden.v4} counter name out
    ip6 daddr ${HOSTS.forbidden.v6} counter name out
  }
}`;

/** How many packets came there since this was last asked. */
function packets(): number {
  return Number(/packets (\d+)/.exec(world.run(['nft', 'reset', 'counter', 'inet', 'counted', 'out']))?.[1]);
}

/** What is on its way from before may still come. */
async function until(value: () => number, wanted: number): Promise<void> {
  await expect.poll(value, { interval: 100 }).toBe(wanted);
}

/** On TrueNAS nothing can be written into a sandbox that is stopped; what is tried while it runs is the same. */
const WAYS = [
  ['guest', 'Incus', incus],
  ['gateway', 'Incus', incus],
  ['guest', 'TrueNAS 25.10', trueNas('25.10.5')],
] as const;

describe.each(WAYS)('enforced by the %s, on %s', (enforcement, title, open) => {
  const onIncus = title === 'Incus' ? describe : undefined;

  beforeAll(() => connect(open, enforcement));

  describe('a new sandbox', () => {
    it('of the mode that is named reaches its list only, from the start', async () => {
      await pixels.must('create', 'one', '--egress', 'allowlist');
      await soon('one', ALLOWED_ONLY);
      expect(await policyShown('one')).toMatchObject({ mode: 'allowlist', inForce: true, allow: ['allowed.example'] });
    });

    it('can be logged into', async () => {
      const ssh = path.join(pixels.home, '.ssh/pixels/config');
      expect((await pixels.program('ssh', '-F', ssh, 'one.pixels', 'id -un')).stdout.toString()).toBe('pixel\n');
    });

    it('without a mode, in a configuration without one, reaches everything', async () => {
      await pixels.must('create', 'open');
      await soon('open', ALL);
      expect((await host.get(parseName('open'))).state.egress).toBeUndefined();
    });
  });

  describe('a change', () => {
    it('is in force within a second, each way', async () => {
      for (const [verb, result] of [
        ['allow', '+'],
        ['deny', '-'],
      ] as const) {
        await pixels.must('network', verb, 'one', 'https://Forbidden.example/');
        expect(await reach('one', 'forbidden.example', 'allowed.example')).toBe(
          `forbidden.example${result} allowed.example+`,
        );
      }
      const egress = egressOf({
        presetFile: path.join(pixels.home, 'none.toml'),
        mode: 'allowlist',
        allow: [],
        enforcement,
        gateway: () => Promise.resolve({ image: project.image, placement: {} }),
      });
      const times: number[] = [];
      for (const ranges of ['10.99.8.0/24', '10.99.9.0/24', '198.51.100.0/24:80']) {
        const began = performance.now();
        const change = (policy = ''): string => writePolicy(allowing(readPolicy(policy), ranges, []));
        expect(await changePolicy({ host, egress }, parseName('one'), change, {})).toBe(true);
        times.push(performance.now() - began);
      }
      expect(Math.min(...times)).toBeLessThan(1000); // the other times, something else kept the machine busy
      expect(await reach('one', HOSTS.forbidden.v4, `${HOSTS.forbidden.v4}:443`, 'inside.allowed.example')).toBe(
        `${HOSTS.forbidden.v4}+ ${HOSTS.forbidden.v4}:443- inside.allowed.example+`,
      );
    });

    it('cuts connections that it does not allow, and leaves others, whose names are still allowed, alone', async () => {
      const script = `
      exec 3<>/dev/tcp/allowed.example/80 4<>/dev/tcp/${HOSTS.forbidden.v4}/80
      read -r _ <&3; read -r _ <&4
      until [ -e /tmp/go ]; do sleep 0.05; done
      for fd in 3 4; do
        echo still >&$fd 2>/dev/null; read -r -t 2 line <&$fd 2>/dev/null && echo "$line" || echo cut
      done`;
      const talking = inside('one', script);
      await new Promise((resolve) => setTimeout(resolve, 500));
      await pixels.must('network', 'deny', 'one', '198.51.100.0/24,10.99.8.0/24');
      await inside('one', 'touch /tmp/go');
      expect(await talking).toBe('still\ncut');
    });

    it('does not let one forget what was refused, by name where there is one', async () => {
      await reach('one', 'Nowhere.example', `${HOSTS.forbidden.v4}:443`, 'inside.allowed.example');
      await pixels.must('network', 'allow', 'one', 'other.example');
      const log = (await pixels.json('network', 'log', 'one')) as Record<string, unknown>[];
      const times = { count: expect.any(Number) as number, last: expect.any(String) as string };
      expect(log).toContainEqual({ name: 'nowhere.example', address: null, protocol: null, port: null, ...times });
      // It had that name when it was allowed, further above.
      const forbidden = { name: 'forbidden.example', address: HOSTS.forbidden.v4 };
      expect(log).toContainEqual({ ...forbidden, protocol: 'tcp', port: 443, ...times });
      expect(log).toContainEqual({
        name: 'inside.allowed.example',
        address: PRIVATE_ADDRESS,
        protocol: 'tcp',
        port: 80,
        ...times,
      });
      for (const { count, last } of log as { count: number; last: string }[]) {
        expect(count).toBeGreaterThan(0);
        expect(Math.abs(Date.now() - Date.parse(last))).toBeLessThan(120_000);
      }
      const follower = pixels.start(['network', 'log', 'one', '--follow']);
      const following = endOf(follower);
      await new Promise((resolve) => follower.stdout!.once('data', resolve));
      await reach('one', 'later.example');
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      follower.kill('SIGINT');
      expect((await following).stdout.toString()).toMatch(/later\.example\n$/);
      expect((await pixels.run(['network', 'log', 'open'])).stderr).toContain('open may reach everything');
    });

    it('that makes no sense changes nothing', async () => {
      const before = (await host.get(parseName('one'))).state.egress;
      const refused = async (...args: string[]): Promise<Ended> => pixels.run(['network', ...args]);
      expect((await refused('allow', 'one', 'a.*.example')).stderr).toContain(
        'has a "*" that does not stand alone in front.',
      );
      expect((await refused('allow', 'one', '@git')).stderr).toContain('Groups count in the mode "agent" only');
      expect((await refused('set', 'one', 'closed')).stderr).toContain('There are unrestricted, agent, allowlist.');
      expect((await refused('allow', 'open', 'a.example')).stderr).toContain('open may reach everything.');
      expect((await host.get(parseName('one'))).state.egress).toBe(before);
    });

    it('of a stopped sandbox is kept, and is in force when it starts, also by the tunnel', async () => {
      await pixels.must('stop', 'one', '--force');
      const { stderr } = await pixels.run(['network', 'allow', 'one', 'forbidden.example']);
      expect(stderr).toContain('one may reach forbidden.example, from its next start on.');
      expect(await policyShown('one')).toMatchObject({
        inForce: null,
        allow: expect.arrayContaining(['forbidden.example']) as string[],
      });
      const ssh = path.join(pixels.home, '.ssh/pixels/config');
      await pixels.program('ssh', '-F', ssh, 'one.pixels', 'true');
      expect(await policyShown('one')).toMatchObject({ inForce: true });
      await eventually(10_000, async () => (await reach('one', 'forbidden.example')).endsWith('+') || undefined);
      await pixels.must('network', 'deny', 'one', 'forbidden.example');
    });
  });

  onIncus?.('what is allowed for some time', () => {
    const both = ['forbidden.example', 'allowed.example'];
    const open = 'forbidden.example+ allowed.example+';
    const closed = 'forbidden.example- allowed.example+';
    const shown = async (): Promise<object> => policyShown('one');
    /** After a start: it may not have begun to answer yet. */
    const isBack = (): Promise<unknown> =>
      eventually(15_000, async () => {
        const seen = await reach('one', 'allowed.example').catch(() => '');
        return seen.endsWith('+') || undefined;
      });
    const over = (end: number): Promise<void> =>
      new Promise((resolve) => setTimeout(resolve, Math.max(0, end - Date.now())));

    it('ends by itself, with its connections, and is gone then', async () => {
      expect(await reach('one', ...both)).toBe(closed);
      const { stderr } = await pixels.run(['network', 'allow', 'one', 'forbidden.example', '--for', '8s']);
      const end = Date.now() + 8_000;
      expect(stderr).toMatch(/^one may reach forbidden\.example, until \d{4}-\d\d-\d\d \d\d:\d\d\.$/m);
      expect(await shown()).toMatchObject({ inForce: true, timed: [{ entry: 'forbidden.example' }] });
      expect(await reach('one', ...both)).toBe(open);
      const script = `
      exec 3<>/dev/tcp/forbidden.example/80 4<>/dev/tcp/allowed.example/80
      read -r _ <&3; read -r _ <&4
      until [ -e /tmp/over ]; do sleep 0.05; done
      for fd in 3 4; do
        echo still >&$fd 2>/dev/null; read -r -t 2 line <&$fd 2>/dev/null && echo "$line" || echo cut
      done`;
      const talking = inside('one', script);
      await over(end + 3_000);
      await inside('one', 'touch /tmp/over');
      expect(await talking).toBe('cut\nstill');
      expect(await reach('one', ...both)).toBe(closed);
      expect(await shown()).toMatchObject({ inForce: true, timed: [] });
    });

    it('ends at its time across a reboot, and while the sandbox is stopped', async () => {
      await pixels.must('network', 'allow', 'one', 'forbidden.example', '--for', '14s');
      const end = Date.now() + 14_000;
      await pixels.must('cp', 'create', 'one', '--label', 'meanwhile');
      await inside('one', 'touch /run/before; systemctl reboot', 0);
      await eventually(
        15_000,
        async () => (await inside('one', '[ -e /run/before ] || echo yes', 0).catch(() => '')) || undefined,
      );
      await isBack();
      if (Date.now() < end - 3_000) expect(await reach('one', ...both)).toBe(open);
      await over(end + 3_000);
      expect(await reach('one', ...both)).toBe(closed);

      await pixels.must('network', 'allow', 'one', 'forbidden.example', '--for', '3s');
      const later = Date.now() + 4_000; // an end is in whole seconds
      await pixels.must('stop', 'one', '--force');
      await over(later);
      const start = { action: 'start' };
      await project.raw.must('PUT', '/1.0/instances/px-one/state', start); // by others than Pixels
      await isBack();
      expect(await reach('one', ...both)).toBe(closed);
    });

    it('has no second life by a restore', async () => {
      await pixels.must('cp', 'restore', 'one', 'meanwhile');
      await isBack();
      expect(await reach('one', ...both)).toBe(closed);
      expect(await shown()).toMatchObject({ inForce: true, timed: [] });
      await pixels.must('cp', 'delete', 'one', 'meanwhile');
    });

    it('can be taken back, and made to last', async () => {
      await pixels.must('network', 'allow', 'one', 'forbidden.example', '--for', '1h');
      await pixels.must('network', 'deny', 'one', 'forbidden.example');
      expect(await reach('one', ...both)).toBe(closed);
      await pixels.must('network', 'allow', 'one', 'forbidden.example', '--for', '4s');
      await pixels.must('network', 'allow', 'one', 'forbidden.example');
      await over(Date.now() + 6_000);
      expect(await reach('one', ...both)).toBe(open);
      await pixels.must('network', 'deny', 'one', 'forbidden.example');
      expect(await reach('one', ...both)).toBe(closed);
    });

    it.each(['', '1', 'h', '0m', '-1h', '40d', 'tomorrow'])('is refused for the time %j', async (time) => {
      const { exit, stderr } = await pixels.run(['network', 'allow', 'one', 'forbidden.example', `--for=${time}`]);
      expect({ exit, stderr }).toMatchObject({ exit: 2 });
      expect(stderr).toMatch(/is no time|is more than 30 days/);
    });
  });

  onIncus?.('a program that sends as soon as it can', () => {
    /** Started by the sandbox's init; counts its attempts in this boot, which the test's hosts count too. */
    const unit = `[Unit]
Description=Leak
[Service]
User=pixel
RuntimeDirectory=leak
ExecStart=/bin/bash -c 'while :; do exec 3<>/dev/tcp/${HOSTS.forbidden.v4}/80; echo >>/run/leak/attempts; sleep 0.02; done'
[Install]
WantedBy=multi-user.target
`;

    /** How many connections came of an action, after which it has tried some more times: in another boot, if the action is one. */
    async function leaked(name: string, action: () => Promise<unknown>, isBoot = true): Promise<number> {
      if (isBoot) await inside(name, 'touch /run/last-boot', 0).catch(() => undefined); // it may not run, or not be there
      await internet.visits();
      await action();
      const count = `[ -e /run/last-boot ] ${isBoot ? '' : '&& false '}|| wc -l </run/leak/attempts`;
      await eventually(30_000, async () => Number(await inside(name, count, 0).catch(() => '0')) > 3 || undefined);
      return internet.visits();
    }

    beforeAll(async () => {
      await pixels.must('create', 'leaky', '--egress', 'unrestricted');
      const install = `cat >/etc/systemd/system/leak.service <<'E'\n${unit}E\nsystemctl enable leak.service 2>/dev/null`;
      await inside('leaky', install, 0);
      await pixels.must('cp', 'create', 'leaky', '--label', 'before');
    });

    it('does, where everything may be reached', async () => {
      expect(await leaked('leaky', () => pixels.must('restart', 'leaky', '--force'))).toBeGreaterThan(0);
    });

    it('sends nothing once there is a policy: not at a start, at a reboot, or when others than Pixels restart it', async () => {
      await pixels.must('network', 'set', 'leaky', 'allowlist');
      expect(await leaked('leaky', () => pixels.must('restart', 'leaky', '--force'))).toBe(0);
      expect(await leaked('leaky', () => inside('leaky', 'systemctl reboot', 0))).toBe(0);
      const restart = { action: 'restart', force: true };
      expect(await leaked('leaky', () => project.raw.must('PUT', '/1.0/instances/px-leaky/state', restart))).toBe(0);
      await eventually(10_000, async () => (await reach('leaky', 'allowed.example')).endsWith('+') || undefined);
    });

    it('sends nothing after a restore to a time without one, nor from a copy of that time', async () => {
      expect(await leaked('leaky', () => pixels.must('cp', 'restore', 'leaky', 'before'))).toBe(0);
      expect(await policyShown('leaky')).toMatchObject({ mode: 'allowlist', inForce: true });
      expect(await leaked('copied', () => pixels.must('clone', 'leaky:before', 'copied'))).toBe(0);
      expect(await policyShown('copied')).toMatchObject({ mode: 'allowlist', inForce: true });
      await pixels.must('destroy', 'copied');
    });

    it('sends nothing when a stopped sandbox is restored and then started by others', async () => {
      await pixels.must('stop', 'leaky', '--force');
      await pixels.must('cp', 'restore', 'leaky', 'before');
      const start = { action: 'start' };
      expect(await leaked('leaky', () => project.raw.must('PUT', '/1.0/instances/px-leaky/state', start))).toBe(0);
    });

    it('does again when everything may be reached again', async () => {
      expect(
        await leaked('leaky', () => pixels.must('network', 'set', 'leaky', 'unrestricted'), false),
      ).toBeGreaterThan(0);
      expect(await policyShown('leaky')).toMatchObject({ mode: 'unrestricted', inForce: true });
      await pixels.must('destroy', 'leaky');
    });
  });

  describe('a set-up', () => {
    const recipe = (script: string): string => {
      const file = path.join(pixels.home, `${script === 'false' ? 'failing' : 'reaching'}.toml`);
      const step = `[[steps]]\nid = "one"\nretries = 0\nscript = '''\n${script}\n'''\n`;
      writeFileSync(file, `title = "Reaching"\nnetwork = ["=forbidden.example:80"]\n${step}`);
      return file;
    };
    /** Tries for a while: a network comes up. */
    const reaching = `
      for try in 1 2 3 4 5 6 7 8; do
        if timeout 2 bash -c 'exec 3<>/dev/tcp/forbidden.example/80 && read -r line <&3'; then
          ! timeout 2 bash -c 'exec 3<>/dev/tcp/forbidden.example/443'; exit
        fi
        sleep 0.5
      done; exit 1`;

    it('reaches what its recipe says that it needs, and only until that is done', async () => {
      await pixels.must('create', 'made', '--egress', 'allowlist', '--recipe', recipe(reaching));
      const meanwhile = (await policyShown('made')) as object;
      expect(meanwhile).toMatchObject({
        timed: expect.arrayContaining([
          expect.objectContaining({ entry: '=forbidden.example:80', forSetUp: true }) as object,
        ]) as object[],
      });
      await pixels.must('status', 'made', '--wait');
      expect(await policyShown('made')).toMatchObject({ inForce: true, timed: [] });
      expect(await reach('made', 'forbidden.example', 'allowed.example')).toBe('forbidden.example- allowed.example+');
    });

    it('that fails leaves nothing open, nor does one that is begun again', async () => {
      const { exit } = await pixels.run(['provision', 'made', '--recipe', recipe('false'), '--wait']);
      expect(exit).toBe(1);
      expect(await policyShown('made')).toMatchObject({ inForce: true, timed: [] });
      expect(await reach('made', 'forbidden.example', 'allowed.example')).toBe('forbidden.example- allowed.example+');
      await pixels.must('destroy', 'made');
    });
  });

  describe('who wants to get out', () => {
    let outs: readonly Escape[];

    beforeAll(async () => {
      await pixels.must('create', 'two', '--egress', 'allowlist');
      await pixels.must('network', 'allow', 'two', 'forbidden.example');
      await pixels.must('start', 'one');
      const two = parseName('two');
      const { raw } = project;
      const { expanded_config: config, expanded_devices: devices } = (await raw.must(
        'GET',
        '/1.0/instances/px-two',
      )) as {
        expanded_config: Record<string, string>;
        expanded_devices: Record<string, Record<string, string>>;
      };
      const mac = devices['eth0']!['hwaddr'] ?? config['volatile.eth0.hwaddr']!;
      const address =
        (await host.gateway?.addressOf(two)) ??
        (await eventually(10_000, async () => (await host.get(two)).addresses[0]));
      outs = escapes({ address, mac });
      await eventually(10_000, async () => (await reach('two', 'forbidden.example')).endsWith('+') || undefined);
      world.run(['nft', '-f', '-'], COUNTED);
    });

    /** The packets that came of it to where none may come. */
    async function leaks({ script, breaks }: Escape, uid = agent): Promise<number> {
      await soon('one', ALLOWED_ONLY);
      await until(() => packets(), 0);
      const { command } = { command: ['bash', '-c', script] };
      const user = uid === 0 ? [] : ['setpriv', '--reuid', String(uid), '--clear-groups', '--no-new-privs'];
      await outputOf(host, parseName('one'), { command: [...user, ...command] });
      const count = packets();
      if (breaks) await pixels.must('restart', 'one', '--force');
      return count;
    }

    it('in none of these ways', async () => {
      for (const way of outs) expect([way.what, await leaks(way)]).toEqual([way.what, 0]);
    });

    it('though the same things do come out where everything may be reached', async () => {
      const plain = outs.filter(({ breaks }) => breaks === undefined).filter(({ what }) => !/another/.test(what));
      expect(plain.length).toBeGreaterThan(3);
      for (const { what, script } of plain) {
        await until(() => packets(), 0);
        await inside('open', script, 0);
        expect([what, packets() > 0]).toEqual([what, true]);
      }
    });

    // No test of the other enforcement is left out by this: as root, that is the test above.
    const asRoot = enforcement === 'guest' ? it : undefined;
    asRoot?.('as root in the sandbox, in these', async () => {
      const found: string[] = [];
      for (const way of outs) if ((await leaks(way, 0)) > 0) found.push(way.what);
      // Whoever is root there can switch off what is enforced there, or go by it: that is what the gateway is for.
      expect(found).toEqual(['flushing the packet filter inside', 'stopping what Pixels runs inside']);
    });

    it('by no name that is not allowed, to no resolver', async () => {
      await soon('one', ALLOWED_ONLY);
      await internet.asked();
      const secret = `${'a'.repeat(60)}.${'b'.repeat(60)}.secret`;
      const names = [`${secret}.forbidden.example`, `${secret}.example`, 'forbidden.example'];
      expect(
        await inside(
          'one',
          tunnel(names, ['127.0.0.53', '127.0.0.1', TRANSIT.world, '198.18.0.1', HOSTS.forbidden.v4]),
        ),
      ).toBe('');
      const carried = (await internet.asked()).filter(
        (name) => name.includes('secret') || name.startsWith('forbidden'),
      );
      expect(carried).toEqual([]);
    });

    it('to this machine, nor to another sandbox, nor by a name that leads there', async () => {
      const bridge = await bridgeAddress(project.raw);
      const server = net.createServer((socket) => socket.on('error', () => undefined).end('hello\n'));
      await new Promise<void>((resolve) => server.listen(0, bridge, resolve));
      const { port } = server.address() as AddressInfo;
      const other =
        (await host.gateway?.addressOf(parseName('two'))) ?? (await host.get(parseName('two'))).addresses[0]!;
      const targets = [
        `${bridge}:${port}`,
        `${other}:22`,
        '198.18.0.1:22',
        '169.254.169.254',
        'inside.allowed.example',
      ];
      expect(await reach('one', ...targets)).toBe(targets.map((target) => `${target}-`).join(' '));
      server.close();
    });

    it('while another one may, at the same time', async () => {
      const targets = ['forbidden.example', 'allowed.example', HOSTS.forbidden.v4];
      const both = await Promise.all(['one', 'two'].map((name) => reach(name, ...targets)));
      const address = HOSTS.forbidden.v4;
      expect(both).toEqual([
        `forbidden.example- allowed.example+ ${address}-`,
        `forbidden.example+ allowed.example+ ${address}+`,
      ]);
      await pixels.must('destroy', 'two');
    });
  });

  describe('a policy that cannot be put in force', () => {
    it('stops the sandbox and says why', async () => {
      await pixels.must('start', 'one');
      const breakNft =
        'printf "#!/bin/sh\\necho broken >&2; exit 1\\n" >/usr/local/sbin/nft; chmod 755 /usr/local/sbin/nft';
      await (enforcement === 'guest' ? inside('one', breakNft, 0) : inGateway(breakNft));
      if (enforcement === 'guest') await pixels.must('stop', 'one', '--force');
      const attempt = enforcement === 'guest' ? ['start', 'one'] : ['network', 'allow', 'one', 'other.example'];
      const { exit, stderr } = await pixels.run(attempt);
      expect(exit).toBe(1);
      expect(stderr).toContain('one was stopped, because its egress policy could not be put in force.');
      const where = enforcement === 'guest' ? 'Inside one' : 'In the gateway';
      expect(stderr).toContain(`${where}: nft refuses the rules: broken.`);
      expect(await host.get(parseName('one'))).toMatchObject({ status: 'stopped' });
      if (enforcement === 'gateway') await inGateway('rm /usr/local/sbin/nft');
      await pixels.must('destroy', 'one');
    });

    it('because it cannot be read starts nothing, until it is set anew', async () => {
      await pixels.must('stop', 'open', '--force');
      await host.updateState(parseName('open'), () => ({ egress: '{"v":1,"mode":"open"}' }));
      const { exit, stderr } = await pixels.run(['start', 'open']);
      expect({ exit, stderr }).toEqual({ exit: 1, stderr: expect.stringContaining('cannot be read') as string });
      expect(await host.get(parseName('open'))).toMatchObject({ status: 'stopped' });
      await pixels.must('network', 'set', 'open', 'allowlist');
      await pixels.must('start', 'open');
      await soon('open', ALLOWED_ONLY);
      await pixels.must('destroy', 'open');
    });
  });
});

describe('enforced inside the sandbox', () => {
  beforeAll(async () => {
    await connect(incus, 'guest');
    await pixels.must('create', 'two', '--egress', 'allowlist');
  });
  it('can be logged into, by its address too, and its answers come', async () => {
    const ssh = path.join(pixels.home, '.ssh/pixels/config');
    expect((await pixels.program('ssh', '-F', ssh, 'two.pixels', 'id -un')).stdout.toString()).toBe('pixel\n');
    const [address] = (await host.get(parseName('two'))).addresses;
    const banner = `exec 3<>/dev/tcp/${address!}/22 && read -r line <&3 && echo "$line"`;
    expect((await pixels.program('timeout', '5', 'bash', '-c', banner)).stdout.toString()).toMatch(/^SSH-2\.0/);
  });

  it('lets its user change nothing of it', async () => {
    const tries = [
      'nft flush ruleset',
      'nft delete table inet pixels',
      'nft add element inet pixels any4 { 198.51.100.10 }',
      'systemctl stop pixels-egress pixels-resolver',
      'echo >/var/lib/pixels/egress/ruleset.nft',
      'kill -9 $(pidof dnsmasq)',
      'ip route add 198.51.100.10 dev eth0',
      'ip link set eth0 down',
      'setpriv --reuid pixels-resolver true',
    ];
    for (const attempt of tries) {
      expect([attempt, await inside('two', `(${attempt}) >/dev/null 2>&1 && echo done || echo no`)]).toEqual([
        attempt,
        'no',
      ]);
    }
    await soon('two', ALLOWED_ONLY);
    await pixels.must('destroy', 'two');
  });
});

describe('a gateway', () => {
  const first = 'one';
  const second = 'two';

  beforeAll(async () => {
    await connect(incus, 'gateway');
    await Promise.all([first, second].map((name) => pixels.must('create', name, '--egress', 'allowlist')));
    await pixels.must('network', 'allow', second, 'forbidden.example');
    world.run(['nft', '-f', '-'], COUNTED);
  });

  const isThere = async (): Promise<boolean> =>
    (await project.raw.request('GET', `/1.0/instances/${gateway}`)).status === 200;
  const stopIt = (): Promise<unknown> =>
    project.raw.must('PUT', `/1.0/instances/${gateway}/state`, { action: 'stop', force: true });
  const secondMay = (): Promise<unknown> =>
    eventually(15_000, async () => (await reach(second, 'forbidden.example')).endsWith('+') || undefined);
  /** When its init was started, so that one sees whether it was started again. */
  const started = (name: string): Promise<string> =>
    inside(name, 'stat -c %Y /proc/1; cat /proc/sys/kernel/random/boot_id');

  it('is one, also when two make it at once, and no sandbox', async () => {
    const instances = (await project.raw.must('GET', '/1.0/instances')) as string[];
    expect(instances.filter((url) => url.includes('pixels-gateway'))).toHaveLength(1);
    const listed = (await pixels.json('list')) as { name: string }[];
    expect(listed.map(({ name }) => name).sort()).toEqual([first, second]);
    expect(await host.get(parseName(first))).toMatchObject({ isBehindGateway: true, addresses: [] });
  });

  it('leaves a sandbox no API of Incus and no machines of its own', async () => {
    expect(await inside(first, 'ls /dev/incus 2>/dev/null; true')).toBe('');
    const { config } = (await project.raw.must('GET', '/1.0/instances/px-one')) as { config: Record<string, string> };
    expect(config).toMatchObject({ 'security.nesting': 'false', 'security.guestapi': 'false' });
  });

  it('that has been killed lets nothing through, and is repaired with all that it knew', async () => {
    await stopIt();
    expect(await reach(first, HOSTS.allowed.v4, 'allowed.example')).toMatch(/^\S+[-?] \S+[-?]$/);
    expect(await policyShown(first)).toMatchObject({ inForce: false });
    await pixels.must('network', 'log', first); // as the tree asks
    await soon(first, ALLOWED_ONLY);
    await secondMay();
    expect(await policyShown(second)).toMatchObject({ inForce: true });
  });

  it('that is gone, or was made by another Pixels, is made anew for all', async () => {
    await stopIt();
    await project.raw.must('DELETE', `/1.0/instances/${gateway}`);
    await pixels.must('network', 'refresh', second);
    await soon(first, ALLOWED_ONLY);
    await secondMay();
    await project.raw.must('PATCH', `/1.0/instances/${gateway}`, { config: { 'user.pixels-gateway.version': '0' } });
    await pixels.must('network', 'refresh', first);
    await soon(first, ALLOWED_ONLY);
    await secondMay();
  });

  it('that has been started again by others does what it did', async () => {
    await inGateway('systemctl --no-block reboot');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await soon(first, ALLOWED_ONLY);
    await secondMay();
    expect(await policyShown(first)).toMatchObject({ inForce: true });
  });

  it('and what keeps sandboxes from passing for another, outlive a crash of the daemon', async () => {
    const daemon = privateIncus(process.env['PIXELS_TEST_DAEMON']!);
    await daemon.kill();
    await daemon.start();
    await eventually(30_000, () =>
      policyShown(first).then(
        ({ inForce }) => inForce === true || undefined,
        () => undefined,
      ),
    );
    expect(await reach(first, ...EVERYWHERE)).toBe(ALLOWED_ONLY);
    const other = (await host.gateway!.addressOf(parseName(second)))!;
    await until(() => packets(), 0);
    for (const way of escapes({ address: other, mac: gatewayMac(other) }).filter(({ what }) => /somebody/.test(what))) {
      await outputOf(host, parseName(first), { command: ['bash', '-c', way.script] });
      expect([way.what, packets()]).toEqual([way.what, 0]);
      await pixels.must('restart', first, '--force');
    }
    await soon(first, ALLOWED_ONLY);
    await secondMay();
  });

  it('takes over from a sandbox and gives back, while that runs', async () => {
    const since = await started(first);
    await pixels.must('network', 'set', first, 'allowlist', '--enforcement', 'guest');
    await eventually(15_000, async () => (await reach(first, 'allowed.example')).endsWith('+') || undefined);
    expect(await reach(first, 'forbidden.example', HOSTS.forbidden.v4)).toMatch(/^\S+- \S+-$/);
    expect((await host.get(parseName(first))).isBehindGateway).toBeUndefined();
    await pixels.must('network', 'set', first, 'allowlist', '--enforcement', 'gateway');
    await soon(first, ALLOWED_ONLY);
    expect(await inside(first, 'nft list tables')).toBe('');
    await pixels.must('network', 'set', first, 'unrestricted');
    await soon(first, ALL);
    await pixels.must('network', 'set', first, 'allowlist');
    await soon(first, ALLOWED_ONLY);
    expect(await started(first)).toBe(since);
  });

  it('is neither lost nor won by going back to another time', async () => {
    await pixels.must('cp', 'create', first, '--label', 'behind');
    await pixels.must('network', 'set', first, 'unrestricted');
    await pixels.must('cp', 'create', first, '--label', 'open');
    await pixels.must('destroy', second);
    expect(await isThere()).toBe(false); // nobody needs it
    await pixels.must('cp', 'restore', first, 'behind');
    await soon(first, ALL);
    await pixels.must('network', 'set', first, 'allowlist');
    await pixels.must('cp', 'restore', first, 'open');
    await soon(first, ALLOWED_ONLY);
    await pixels.must('clone', `${first}:open`, second);
    await soon(second, ALLOWED_ONLY);
  });

  it('goes with the last sandbox that needs it', async () => {
    const { devices } = (await project.raw.must('GET', '/1.0/instances/px-one')) as {
      devices: Record<string, Record<string, string>>;
    };
    const isolated = devices['eth0']!['network']!;
    expect(isolated).toMatch(/^pxgw-/);
    await pixels.must('destroy', first);
    expect(await isThere()).toBe(true);
    await pixels.must('destroy', second);
    expect(await isThere()).toBe(false);
    expect((await project.raw.request('GET', `/1.0/networks/${isolated}`)).status).toBe(404);
  });

  it('is made of a bare image too', async () => {
    pixels.env['PIXELS_DEFAULTS_IMAGE'] = project.bareImage;
    await pixels.must('create', 'bare', '--egress', 'allowlist');
    await soon('bare', ALLOWED_ONLY);
    await pixels.must('destroy', 'bare');
    pixels.env['PIXELS_DEFAULTS_IMAGE'] = project.image;
  });
});

describe('a bare image', () => {
  beforeAll(async () => {
    await connect(incus, 'guest');
  });

  it('gets what a policy needs while nothing of it runs yet, and a login under it', async () => {
    await pixels.must('create', 'bare', '--image', project.bareImage, '--egress', 'allowlist');
    await soon('bare', ALLOWED_ONLY);
    const ssh = path.join(pixels.home, '.ssh/pixels/config');
    expect((await pixels.program('ssh', '-F', ssh, 'bare.pixels', 'id -un')).stdout.toString()).toBe('pixel\n');
    expect(
      await eventually(5000, () =>
        inside('bare', 'systemctl is-system-running', 0).then((it) => (it === 'starting' ? undefined : it)),
      ),
    ).toMatch(/running|degraded/);
    expect(await inside('bare', 'systemctl is-active ssh', 0)).toBe('active');
    await pixels.must('destroy', 'bare');
  });
});
