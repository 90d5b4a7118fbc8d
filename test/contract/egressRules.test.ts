import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseEntry } from '../../src/egress/entry';
import { agentPreset } from '../../src/egress/preset';
import { denying, newPolicy, type Policy } from '../../src/egress/policy';
import { renderResolver } from '../../src/egress/resolver';
import { rulesOf } from '../../src/egress/rules';
import { RESOLVER_PORTS, renderRuleset, TABLE } from '../../src/egress/guest/ruleset';
import { connect, Namespace } from '../support/namespaces';
import { HOSTS, PRIVATE_ADDRESS, probe, startTestInternet, type TestInternet } from '../support/testInternet';

/* The rendered texts, with the real nft and the real dnsmasq, in namespaces: one is a sandbox, the other all the world. */

const ROUTER = { v4: '10.99.7.1', v6: 'fd99:7::1' };
/** A process of this user is the resolver; nobody else's may ask name servers. */
const RESOLVER_UID = 65_533;

const preset = agentPreset();
const directory = mkdtempSync(path.join(tmpdir(), 'pixels-egress-'));
let sandbox: Namespace;
let world: Namespace;
let internet: TestInternet;
let generation = 0;
let stopResolver = (): void => undefined;

beforeAll(async () => {
  chmodSync(directory, 0o755); // the resolver is not root
  sandbox = new Namespace('pxegr-in');
  world = new Namespace('pxegr-out');
  connect(sandbox, 'eth0', world, 'eth0');
  sandbox.ip('address', 'add', '10.99.7.2/24', 'dev', 'eth0');
  sandbox.ip('address', 'add', 'fd99:7::2/64', 'dev', 'eth0', 'nodad');
  world.ip('address', 'add', `${ROUTER.v4}/24`, 'dev', 'eth0');
  world.ip('address', 'add', `${ROUTER.v6}/64`, 'dev', 'eth0', 'nodad');
  for (const via of Object.values(ROUTER)) sandbox.ip('route', 'add', 'default', 'via', via);
  sandbox.setNameServer(ROUTER.v4);
  internet = await startTestInternet(world, [ROUTER.v4, ROUTER.v6, HOSTS.forbidden.v4]);
});

afterAll(async () => {
  await sandbox.close();
  await world.close();
  internet.close();
  rmSync(directory, { recursive: true });
});

/** Loads the policy as the sandbox's own script does. */
async function enforce(policy: Policy): Promise<void> {
  const rules = rulesOf(policy, preset)!;
  load(renderRuleset(rules, 'test'));
  stopResolver();
  const serversFile = path.join(directory, 'servers');
  const { config, asked } = renderResolver(rules, {
    ports: RESOLVER_PORTS,
    table: TABLE,
    serversFile,
    user: 'root',
  });
  const servers = asked.split('\n').filter((name) => name !== '');
  writeFileSync(serversFile, servers.map((name) => `server=/${name}/${ROUTER.v4}\n`).join(''));
  writeFileSync(path.join(directory, 'dnsmasq.conf'), config.replace('user=root', 'user='));
  const as = ['setpriv', '--reuid', String(RESOLVER_UID), '--clear-groups', '--inh-caps=+net_admin,+net_bind_service'];
  const run = [
    ...as,
    '--ambient-caps=+net_admin,+net_bind_service',
    'dnsmasq',
    '-k',
    '-C',
    path.join(directory, 'dnsmasq.conf'),
  ];
  const child = await sandbox.start(run, /started/);
  stopResolver = () => void child.kill('SIGKILL');
}

function load(ruleset: string): void {
  generation += 1;
  const defines = `define resolver = ${RESOLVER_UID}\ndefine dhcp = { 0 }\ndefine generation = ${generation}\n`;
  sandbox.run(['nft', '-f', '-'], defines + ruleset);
}

function allowlist(...typed: string[]): Policy {
  return newPolicy('allowlist', typed.map(parseEntry));
}

async function everywhere(host: string, port?: number): Promise<string> {
  return probe(sandbox, host, port);
}

/** The addresses of a name, as somebody in the sandbox finds them, or the error. */
function lookUp(name: string, server?: string): string {
  const script = `
    const { Resolver } = require('node:dns').promises;
    const resolver = new Resolver({ timeout: 1000, tries: 1 });
    if (process.argv[2]) resolver.setServers([process.argv[2]]);
    Promise.all(['resolve4', 'resolve6', 'resolveTxt'].map((how) => resolver[how](process.argv[1]).then(String, (e) => e.code)))
      .then((answers) => console.log(answers.join(' ')));`;
  return sandbox.run([process.execPath, '-e', script, name, ...(server === undefined ? [] : [server])]).trim();
}

describe('nft accepts', () => {
  it.each([
    ['nothing allowed', allowlist()],
    ['the whole preset', newPolicy('agent')],
    [
      'ranges and ports of both families',
      allowlist('10.0.0.0/8', '10.1.0.0/16:22', '2001:db8::/32:443', '::1', 'a.example:8080'),
    ],
    [
      'exceptions',
      denying(denying(allowlist('10.0.0.0/8', 'a.example'), '10.0.0.0/16', preset), 'b.a.example', preset),
    ],
    ['1,000 domains', allowlist(...Array.from({ length: 1000 }, (_, at) => `d${at}.example`))],
  ])('%s', (_, policy) => {
    const text = renderRuleset(rulesOf(policy, preset)!, 'mark');
    const defines = 'define resolver = 990\ndefine dhcp = { 0, 998 }\ndefine generation = 1\n';
    expect(sandbox.run(['nft', '-c', '-f', '-'], defines + text)).toBe('');
  });
});

describe('without a policy', () => {
  it('everything of the test’s internet can be reached, so that a refusal means something', async () => {
    for (const { name, v4, v6 } of Object.values(HOSTS)) {
      for (const host of [name, v4, v6]) expect([host, await everywhere(host)]).toEqual([host, 'reached']);
    }
    expect(await everywhere(PRIVATE_ADDRESS)).toBe('reached');
    expect(lookUp('allowed.example', HOSTS.forbidden.v4)).toBe('203.0.113.10 2001:db8:1::10 spoken');
  });
});

describe('an allowed domain', () => {
  beforeAll(async () => {
    const policy = denying(
      allowlist('allowed.example', '=only.example', 'ported.example:443'),
      'denied.allowed.example',
      preset,
    );
    await enforce(policy);
  });

  it.each([
    ['allowed.example', 80, 'reached'],
    ['allowed.example', 443, 'reached'],
    ['www.allowed.example', 80, 'reached'],
    ['ALLOWED.example', 80, 'reached'],
    ['rotated.allowed.example', 80, 'reached'],
    ['chain.allowed.example', 80, 'reached'],
    ['end.cdn.example', 80, 'refused'],
    ['inside.allowed.example', 80, 'refused'],
    ['denied.allowed.example', 80, 'refused'],
    ['only.example', 80, 'reached'],
    ['below.only.example', 80, 'refused'],
    ['ported.example', 443, 'reached'],
    ['ported.example', 80, 'refused'],
    ['forbidden.example', 80, 'refused'],
    [HOSTS.forbidden.v4, 80, 'refused'],
    [HOSTS.forbidden.v6, 80, 'refused'],
    [HOSTS.forbidden.v4, 853, 'refused'],
    [HOSTS.forbidden.v4, 443, 'refused'],
    [PRIVATE_ADDRESS, 80, 'refused'],
    [ROUTER.v4, 80, 'refused'],
    [ROUTER.v6, 80, 'refused'],
  ])('%s port %i is %s', async (host, port, expected) => {
    const began = performance.now();
    expect(await everywhere(host, port)).toBe(expected);
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it('is what addresses are learned from: both families, and not before somebody asked', async () => {
    await enforce(allowlist('allowed.example'));
    for (const address of [HOSTS.rotated.v4, HOSTS.rotated.v6]) expect(await everywhere(address)).toBe('refused');
    expect(lookUp(HOSTS.rotated.name)).toMatch(/^203\.0\.113\.20 2001:db8:1::20 /);
    for (const address of [HOSTS.rotated.v4, HOSTS.rotated.v6]) expect(await everywhere(address)).toBe('reached');
  });

  it('whose address turns is reached at the new one as soon as somebody asks, and not at what it never had', async () => {
    await enforce(allowlist('allowed.example'));
    await internet.turn('203.0.113.70');
    expect(await everywhere('turning.allowed.example')).toBe('reached');
    expect(await everywhere('203.0.113.71')).toBe('refused');
    await internet.turn('203.0.113.71');
    expect(await everywhere('turning.allowed.example')).toBe('reached');
    expect(await everywhere('203.0.113.71')).toBe('reached');
    expect(await everywhere('203.0.113.70')).toBe('reached'); // a connection to the old one goes on for a day
  });
});

describe('name servers', () => {
  beforeAll(() => enforce(allowlist('allowed.example')));

  it('are asked for what is allowed only, so that names carry nothing out', async () => {
    await internet.asked();
    expect(lookUp('secret.forbidden.example')).toBe('ENOTFOUND ENOTFOUND ENOTFOUND');
    expect(lookUp('example')).toBe('ENOTFOUND ENOTFOUND ENOTFOUND');
    expect(lookUp('notallowed.example')).toBe('ENOTFOUND ENOTFOUND ENOTFOUND');
    expect(lookUp('allowed.example')).toBe('203.0.113.10 2001:db8:1::10 spoken');
    expect(await internet.asked()).toEqual(['allowed.example']);
  });

  it('of others give the same answers, whichever is asked', async () => {
    await internet.asked();
    for (const server of [HOSTS.forbidden.v4, ROUTER.v6]) {
      expect(lookUp('secret.forbidden.example', server)).toBe('ENOTFOUND ENOTFOUND ENOTFOUND');
      expect(lookUp('allowed.example', server)).toBe('203.0.113.10 2001:db8:1::10 spoken');
    }
    expect(await internet.asked()).toEqual(['allowed.example']);
  });

  it('answer every question, however many a program asks by itself in a minute', async () => {
    await enforce(allowlist('allowed.example'));
    // Each from a port of its own, of which the resolver must not use one while it is known.
    const script = `
      const dgram = require('node:dgram');
      const question = Buffer.concat([Buffer.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
        ...'allowed.example'.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.from([0, 0, 1, 0, 1])]);
      const ask = () => new Promise((resolve) => {
        const socket = dgram.createSocket('udp4');
        const end = (answered) => { clearTimeout(limit); socket.close(); resolve(answered); };
        const limit = setTimeout(() => end(false), 1000);
        socket.once('message', (answer) => end(answer.readUInt16BE(6) > 0));
        socket.send(question, 53, '${ROUTER.v4}');
      });
      (async () => {
        let answered = 0;
        for (let at = 0; at < 1500 && answered === at; at++) if (await ask()) answered++;
        console.log(answered);
      })();`;
    // Not waited for in one go: the name server's log has to be read meanwhile.
    const { stdout } = await promisify(execFile)('ip', ['netns', 'exec', sandbox.name, process.execPath, '-e', script]);
    expect(stdout.trim()).toBe('1500');
  });
});

describe('datagrams', () => {
  const send = (host: string, port: number, options = ''): string =>
    sandbox
      .run([
        'setpriv',
        '--reuid',
        '65534',
        '--clear-groups',
        process.execPath,
        '-e',
        `const socket = require('node:dgram').createSocket('${host.includes(':') ? 'udp6' : 'udp4'}');
       const end = (what) => { console.log(what); process.exit(); };
       socket.on('error', (error) => end(error.code)).on('message', (text) => end('answer ' + text));
       ${options}
       socket.connect(${port}, '${host}', () => socket.send('x', () => setTimeout(end, 400, 'silence')));`,
      ])
      .trim();

  it('are answered from where it is allowed, and refused elsewhere', async () => {
    expect(await everywhere('allowed.example')).toBe('reached');
    expect(send(HOSTS.allowed.v4, 80)).toBe('answer x');
    expect(send(HOSTS.forbidden.v4, 80)).toMatch(/^E/);
    expect(send(HOSTS.forbidden.v6, 443)).toMatch(/^E/);
  });

  it('that look like DHCP are nobody’s but the DHCP client’s', () => {
    sandbox.run(['sysctl', '-qw', 'net.ipv4.ip_unprivileged_port_start=0']);
    expect(send(HOSTS.forbidden.v4, 67, 'socket.bind(68);')).toMatch(/^E/);
  });
});

describe('echo requests', () => {
  it('reach what is allowed only', async () => {
    expect(await everywhere('allowed.example')).toBe('reached');
    const ping = (host: string): string =>
      sandbox.run(['sh', '-c', `ping -c 1 -W 1 ${host} >/dev/null 2>&1 && echo yes || echo no`]);
    expect(ping(HOSTS.allowed.v4)).toBe('yes\n');
    expect(ping(HOSTS.forbidden.v4)).toBe('no\n');
    expect(ping(HOSTS.forbidden.v6)).toBe('no\n');
  });
});

describe('ranges', () => {
  it('are allowed whatever the name, also private ones, at their ports; denied ones are denied all the same', async () => {
    const policy = allowlist('10.99.8.0/24', '198.51.100.0/24:443', '2001:db8:2::/48', 'allowed.example');
    await enforce(policy);
    expect(await everywhere(PRIVATE_ADDRESS)).toBe('reached');
    expect(await everywhere('inside.allowed.example')).toBe('reached');
    expect(await everywhere(HOSTS.forbidden.v4, 443)).toBe('reached');
    expect(await everywhere(HOSTS.forbidden.v4, 80)).toBe('refused');
    expect(await everywhere(HOSTS.forbidden.v6, 80)).toBe('reached');
    await enforce(denying(policy, '10.99.8.10', preset));
    expect(await everywhere(PRIVATE_ADDRESS)).toBe('refused');
    expect(await everywhere('inside.allowed.example')).toBe('refused');
  });
});

describe('connections', () => {
  /** One that stays open in the sandbox; tells whether it still carries anything. */
  async function open(host: string, from = sandbox): Promise<() => Promise<'open' | 'cut'>> {
    const script = `
      const socket = require('node:net').connect(80, '${host}');
      socket.on('error', () => process.exit(3)).on('close', () => process.exit(3));
      socket.on('data', (text) => process.stdout.write(text));
      process.stdin.on('data', (text) => socket.write(text));`;
    const child = await from.start([process.execPath, '-e', script], /hello/);
    return () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve('cut'));
        child.stdout!.once('data', () => resolve('open'));
        if (child.exitCode === null) child.stdin!.write('still there?');
        else resolve('cut');
      });
  }

  it('to what is not allowed any more are cut by the next policy; others, and those from outside, go on', async () => {
    await enforce(allowlist('198.51.100.0/24', '203.0.113.0/24'));
    const kept = await open(HOSTS.allowed.v4);
    const lost = await open(HOSTS.forbidden.v4);
    await sandbox.start(
      [
        process.execPath,
        '-e',
        `require('node:net').createServer((s) => { s.write('hello'); s.pipe(s); }).listen(80, () => console.log('listening'))`,
      ],
      /listening/,
    );
    const inward = await open('10.99.7.2', world);
    for (const connection of [kept, lost, inward]) expect(await connection()).toBe('open');
    await enforce(allowlist('203.0.113.0/24'));
    expect(await Promise.all([kept(), lost(), inward()])).toEqual(['open', 'cut', 'open']);
    await enforce(allowlist());
    expect(await Promise.all([kept(), inward()])).toEqual(['cut', 'open']);
  });

  it('stay open when an address that was learned is forgotten', async () => {
    await enforce(allowlist('allowed.example'));
    const kept = await open('allowed.example');
    for (const set of ['any4', 'any6']) sandbox.run(['nft', 'flush', 'set', 'inet', 'pixels', set]);
    expect(await everywhere(HOSTS.allowed.v4)).toBe('refused');
    expect(await kept()).toBe('open');
  });
});

it('1,000 domains are in force within a second', async () => {
  const policy = allowlist('allowed.example', ...Array.from({ length: 999 }, (_, at) => `d${at}.example`));
  const began = performance.now();
  await enforce(policy);
  expect(await everywhere('www.allowed.example')).toBe('reached');
  expect(performance.now() - began).toBeLessThan(1000);
});
