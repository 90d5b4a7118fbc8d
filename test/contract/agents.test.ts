import { execFileSync } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isPrivate } from '../../src/egress/ruleset';
import { bridgeAddress } from '../support/closedNetwork';
import { gitServer } from '../support/gitServer';
import { isAll } from '../support/extent';
import { machineAuthorities } from '../support/machineAuthorities';
import { PixelsCommand } from '../support/pixelsCommand';
import { makeTestProject, type TestProject } from '../support/testProject';

/**
 * The default recipe, with real downloads from the npm registry and the distribution's mirror, as the machine's own configuration
 * names them. Authorities that this machine trusts besides the usual ones are told to the sandbox, as in a company's network.
 */
const DOWNLOADS_MS = 15 * 60_000;
const PROGRAMS = ['mise', 'node', 'claude', 'codex', 'opencode'];

let project: TestProject;
let pixels: PixelsCommand;

beforeAll(async () => {
  project = await makeTestProject('pixels-agents');
  pixels = new PixelsCommand(project);
  pixels.env['PIXELS_PROVISION_CA_CERTIFICATES'] = machineAuthorities();
  delete pixels.env['PIXELS_PROVISION_DEVTOOLS'];
  pixels.env['PIXELS_NETWORK_ALLOW'] = (await privateSources()).join(',');
  const create = ['create', 'agents', '--image', project.bareImage, '--egress', 'agent', '--wait'];
  const { exit, stderr } = await pixels.run(create);
  if (exit !== 0) {
    const log = await pixels.run(['provision', 'agents', '--log']);
    throw new Error(`${stderr}\n${log.stdout.toString()}`);
  }
}, DOWNLOADS_MS);

afterAll(async () => {
  pixels.remove();
  await project.remove();
});

/** No name leads to a private address under a policy; where this machine's package sources have such, they are allowed by address. */
async function privateSources(): Promise<string[]> {
  const registry = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();
  const names = ['deb.debian.org', new URL(registry).hostname];
  const found = await Promise.all(names.map((name) => lookup(name, { all: true }).catch(() => [])));
  return found.flat().flatMap(({ address }) => (isPrivate(address) ? [address] : []));
}

it.each(PROGRAMS)('%s works for the user in a login shell, by exec and over SSH', async (program) => {
  const config = path.join(pixels.home, '.ssh/pixels/config');
  const ways = [
    await pixels.run(['exec', 'agents', '--', 'bash', '-lc', `${program} --version`]),
    await pixels.run(['exec', 'agents', '--', program, '--version']),
    await pixels.program('ssh', '-F', config, 'agents.pixels', `${program} --version`),
  ];
  for (const { exit, stdout, stderr } of ways) {
    expect({ exit, stderr }).toMatchObject({ exit: 0 });
    expect(stdout.toString()).toMatch(/\d+\.\d+\.\d+/);
  }
});

it('Node.js is a version with long-term support', async () => {
  expect(await pixels.must('exec', 'agents', '--', 'node', '-p', 'process.release.lts')).toMatch(/^[A-Z][a-z]+\n$/);
});

it('it is done, and a second time changes nothing', async () => {
  expect(await pixels.json('status', 'agents')).toMatchObject({ provision: { recipe: 'agent', state: 'done' } });
  await pixels.must('provision', 'agents', '--wait');
  const log = await pixels.must('provision', 'agents', '--log');
  expect(log.match(/There already\./g)).toHaveLength(7);
});

it('under the policy of the mode "agent", and before a gateway, so do npm, apt and git', async () => {
  expect(await pixels.json('network', 'show', 'agents')).toMatchObject({
    mode: 'agent',
    enforcement: 'gateway',
    inForce: true,
    timed: [],
  });
  const asUser = (script: string) => pixels.must('exec', 'agents', '--', 'bash', '-elc', `cd $(mktemp -d); ${script}`);
  expect(await asUser('npm install --silent is-number >/dev/null; node -p "require(\'is-number\')(7)"')).toBe('true\n');
  expect(await asUser('(sudo apt-get -qq update; sudo apt-get -qq install -y hello) >/dev/null 2>&1; hello')).toBe(
    'Hello, world!\n',
  );
  const server = await gitServer(await bridgeAddress(project.raw));
  try {
    const clone = `cat >ca.pem; GIT_SSL_CAINFO=$PWD/ca.pem git clone -q ${server.url} here && cat here/README`;
    const script = ['exec', 'agents', '--', 'bash', '-elc', `cd $(mktemp -d); ${clone}`];
    const { exit, stderr } = await pixels.run(script, { input: server.authority });
    expect(exit).not.toBe(0);
    expect(stderr).toMatch(/Connection refused|Failed to connect|Couldn't connect/);
    await pixels.must('network', 'allow', 'agents', new URL(server.url).host);
    expect((await pixels.run(script, { input: server.authority })).stdout.toString()).toBe('cloned\n');
  } finally {
    await server.close();
  }
});

it(
  'ten clones at once are ten machines, each with all of it',
  async () => {
    await pixels.must('network', 'set', 'agents', 'unrestricted'); // so that they have addresses
    await pixels.must('cp', 'create', 'agents', '--label', 'whole');
    await pixels.must('stop', 'agents', '--force');
    const names = Array.from({ length: 10 }, (_, index) => `clone${index}`);
    const made = await Promise.all(names.map((name) => pixels.run(['clone', 'agents:whole', name, '--json'])));
    expect(made.map(({ exit, stderr }) => (exit === 0 ? '' : stderr))).toEqual(names.map(() => ''));
    const facts = await Promise.all(
      names.map(async (name) => {
        const { addresses } = (await pixels.json('status', name)) as { addresses: string[] };
        const script = 'cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub; hostname; claude --version >&2';
        const [id, key, hostname] = (await pixels.must('exec', name, '--', 'sh', '-c', script)).split('\n');
        expect(hostname).toBe(`px-${name}`);
        return { address: addresses[0], id, key: key?.split(' ')[1] };
      }),
    );
    for (const fact of ['address', 'id', 'key'] as const) {
      const values = facts.map((each) => each[fact]);
      expect(values).not.toContain(undefined);
      expect(new Set(values).size).toBe(10);
    }
    const config = path.join(pixels.home, '.ssh/pixels/config');
    for (const name of names) {
      expect(await pixels.program('ssh', '-F', config, `${name}.pixels`, 'true')).toMatchObject({
        exit: 0,
        stderr: '',
      });
    }
  },
  DOWNLOADS_MS,
);

/** What is in the other shipped bases. Where PyPI and uv's own site are out of reach, pipx is in the place of uv. */
const BASES = [
  ['python', 'gcc --version; python --version; uv --version || pipx --version'],
  ['node', 'gcc --version; node --version; mise --version'],
] as const;

it.each(isAll ? BASES : [])(
  'the base %s is built on dev, and a sandbox of it has what it says',
  async (base, script) => {
    pixels.env['PIXELS_DEFAULTS_IMAGE'] = project.bareImage;
    await pixels.must('base', 'build', base);
    await pixels.must('create', `of-${base}`, '--base', base);
    await pixels.must('exec', `of-${base}`, '--', 'bash', '-elc', script);
    expect(await pixels.json('status', `of-${base}`)).toMatchObject({ provision: { recipe: base, state: 'done' } });
  },
  DOWNLOADS_MS,
);
