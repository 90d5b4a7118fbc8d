import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PixelsCommand } from '../support/pixelsCommand';
import { makeTestProject, type TestProject } from '../support/testProject';
import { startTrueNasServer, type Credentials, type Profile, type TrueNasServer } from '../truenas-server';

interface CheckJson {
  readonly title: string;
  readonly verdict: 'ok' | 'warning' | 'failed';
  readonly sentence: string;
  readonly advice: string | null;
  readonly permissions: readonly { feature: string; granted: boolean; lacks: string[] }[] | null;
}

/** What the real command finds, and its exit code. */
async function doctor(pixels: PixelsCommand): Promise<{ exit: unknown; stderr: string; checks: CheckJson[] }> {
  const { exit, stdout, stderr } = await pixels.run(['doctor', '--json']);
  return { exit, stderr, checks: JSON.parse(stdout.toString()) as CheckJson[] };
}

const of = (checks: readonly CheckJson[], title: string) => checks.find((check) => check.title === title);
const titles = (checks: readonly CheckJson[]) => checks.map(({ title }) => title);
const SSH = ['OpenSSH client', 'SSH files', 'SSH key', 'SSH configuration'];

describe('pixels doctor on Incus', () => {
  let project: TestProject;
  let pixels: PixelsCommand;

  beforeAll(async () => {
    project = await makeTestProject('pixels-doctor');
    pixels = new PixelsCommand(project);
  });
  afterAll(async () => {
    pixels.remove();
    await project.remove();
  });

  it('finds a new machine in order but for ssh, and makes nothing on it', async () => {
    const { exit, stderr, checks } = await doctor(pixels);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    const server = ['Configuration', 'Server', 'Sandboxes', 'Project', 'Storage', 'Network', 'Image', 'Provisioning'];
    expect(titles(checks)).toEqual([...server, ...SSH]);
    expect(of(checks, 'Server')?.sentence).toMatch(/^Incus 6\.\S+ on \S+ lets us in, within [\d.]+ ms\.$/);
    expect(of(checks, 'Sandboxes')?.sentence).toMatch(/^There are none yet; listing them takes [\d.]+ ms\.$/);
    expect(checks.filter(({ verdict }) => verdict !== 'ok').map(({ title }) => title)).toEqual(['SSH configuration']);
    expect(readdirSync(pixels.home)).toEqual([]);
  });

  it('finds everything in order once there is a sandbox and ssh knows it', async () => {
    await pixels.must('create', 'web');
    await pixels.must('ssh-config', '--install', '--yes');
    const { exit, checks } = await doctor(pixels);
    expect(exit).toBe(0);
    expect(checks.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
    expect(of(checks, 'Sandboxes')?.sentence).toContain('There is one');
    const text = await pixels.must('doctor');
    expect(text.split('\n').map((line) => line.slice(0, 26).trim())).toEqual([
      ...checks.map(({ title }) => `ok       ${title}`),
      '',
    ]);
  });

  it('says whether the base of the usual recipe is ready, and builds none', async () => {
    pixels.env['PIXELS_PROVISION_DEVTOOLS'] = 'true';
    const { checks } = await doctor(pixels);
    pixels.env['PIXELS_PROVISION_DEVTOOLS'] = 'false';
    expect(of(checks, 'Provisioning')?.sentence).toContain('the recipe "agent"');
    expect(of(checks, 'Base')).toMatchObject({
      verdict: 'ok',
      sentence: expect.stringContaining('"agent" is not ready') as unknown,
      advice: '"pixels base build agent" makes it.',
    });
    expect(await project.raw.must('GET', '/1.0/instances')).toEqual([expect.stringContaining('/px-web') as unknown]);
  });

  it('exits with 1 when something fails, and says what and what to do', async () => {
    const { exit, stdout, stderr } = await pixels.run(['doctor', '--project', 'pixels-nowhere']);
    expect({ exit, stderr }).toEqual({ exit: 1, stderr: '' });
    expect(stdout.toString()).toMatch(
      /^failed {3}Server +The configured project does not exist[^\n]*\n {28}Check incus\.project/m,
    );
    expect(stdout.toString()).toContain('OpenSSH client');
  });

  it('names a sandbox that was left unfinished', async () => {
    const mark = JSON.stringify({ action: 'restore', id: 'x', host: 'elsewhere', pid: 1, since: 0 });
    await project.raw.must('PATCH', '/1.0/instances/px-web', { config: { 'user.pixels.mark': mark } });
    const { exit, checks } = await doctor(pixels);
    expect(exit).toBe(0);
    expect(of(checks, 'Sandboxes')).toMatchObject({
      verdict: 'warning',
      sentence: expect.stringContaining('web') as unknown,
    });
  });

  it('shows what is odd in the configuration, and stops at what cannot be used', async () => {
    const file = path.join(pixels.home, '.config/pixels/config.toml');
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, '[defaults]\nmemry = 5\ncpu = 9999\n');
    const odd = await doctor(pixels);
    expect(odd.checks.slice(0, 2)).toMatchObject([
      { title: 'Configuration', verdict: 'ok', sentence: expect.stringContaining(file) as unknown },
      {
        verdict: 'warning',
        sentence: expect.stringContaining('defaults.memry; did you mean defaults.memory') as unknown,
      },
    ]);
    expect(of(odd.checks, 'Defaults')).toMatchObject({
      verdict: 'warning',
      sentence: expect.stringContaining('9999') as unknown,
    });
    expect(odd.exit).toBe(0);
    writeFileSync(file, 'defaults = 5\n');
    const broken = await doctor(pixels);
    expect(broken.checks).toMatchObject([{ title: 'Configuration', verdict: 'failed' }]);
    expect(broken.exit).toBe(1);
  });

  it('leaves out a default that the server cannot give when it makes a sandbox', async () => {
    const file = path.join(pixels.home, '.config/pixels/config.toml');
    writeFileSync(file, '[defaults]\ncpu = 9999\nmemory = 256\n');
    const { exit, stderr } = await pixels.run(['create', 'small', '--no-provision']);
    expect(exit).toBe(0);
    expect(stderr).toMatch(
      /^pixels: The server has \d+ CPUs; 9999 [^\n]* The default of the configuration is left out\.$/m,
    );
    expect(await pixels.json('status', 'small')).toMatchObject({ cpu: null, memoryMiB: 256 });
    writeFileSync(file, '');
  });
});

describe.each<{ profile: Profile; image: string | undefined }>([
  { profile: '25.10.5', image: undefined },
  { profile: '26.0', image: 'debian/bookworm' },
])('pixels doctor on TrueNAS $profile', ({ profile, image }) => {
  let project: TestProject;
  let server: TrueNasServer;

  beforeAll(async () => {
    project = await makeTestProject(`pixels-doctor-${profile.replaceAll('.', '')}`);
    const { socket } = project;
    server = await startTrueNasServer({ socket, project: project.project, incusPool: 'default', profile });
  });
  afterAll(async () => {
    await server.close();
    await project.remove();
  });

  /** The command as this user of the NAS, with more lines in its configuration. */
  async function as<T>(user: Credentials, use: (pixels: PixelsCommand) => Promise<T>, more = ''): Promise<T> {
    const pixels = new PixelsCommand({ ...project, image: image ?? project.image });
    const file = path.join(pixels.home, '.config/pixels/config.toml');
    mkdirSync(path.dirname(file), { recursive: true });
    const nas = [
      'backend = "truenas"',
      '[truenas]',
      `host = "${server.host}:${server.port}"`,
      `username = "${user.username}"`,
      `api_key = "${user.apiKey}"`,
      `fingerprint = "${server.fingerprint}"`,
    ];
    writeFileSync(file, [...nas, more, ''].join('\n'), { mode: 0o600 });
    try {
      return await use(pixels);
    } finally {
      pixels.remove();
    }
  }

  it('finds all in order for root', async () => {
    const { exit, checks } = await as(server, doctor);
    expect(exit).toBe(0);
    expect(titles(checks).filter((title) => title !== 'Memory limits')).toEqual([
      ...['Configuration', 'Certificate', 'Server', 'Sandboxes', 'API key', 'Storage', 'Network', 'Image'],
      'Provisioning',
      ...SSH,
    ]);
    expect(of(checks, 'Certificate')?.sentence).toContain(server.fingerprint);
    expect(of(checks, 'Server')?.sentence).toMatch(/^TrueNAS 2\S+ on truenas .*lets us in, within \d+ ms\.$/);
    expect(of(checks, 'API key')?.permissions?.every(({ granted, lacks }) => granted && lacks.length === 0)).toBe(true);
    expect(JSON.stringify(checks)).not.toContain(server.apiKey);
  });

  it('shows what a key lacks for what', async () => {
    const { exit, checks } = await as(server.addKey({ roles: ['READONLY_ADMIN'], webShell: false }), doctor);
    expect(exit).toBe(0);
    const key = of(checks, 'API key');
    expect(key).toMatchObject({ verdict: 'warning', advice: expect.stringContaining('SYSTEM_CRON_WRITE') as unknown });
    expect(key?.permissions?.filter(({ granted }) => granted).map(({ feature }) => feature)).toEqual(['See sandboxes']);
    expect(key?.permissions?.find(({ feature }) => feature.startsWith('Take'))?.lacks).toEqual([
      'SNAPSHOT_WRITE',
      'SNAPSHOT_DELETE',
    ]);
    const text = await as(server.addKey({ roles: ['READONLY_ADMIN'], webShell: false }), (pixels) =>
      pixels.must('doctor'),
    );
    expect(text).toMatch(/^ {28}yes {2}See sandboxes$/m);
    expect(text).toMatch(/^ {28}no {3}Take and delete checkpoints +lacks SNAPSHOT_WRITE, SNAPSHOT_DELETE$/m);
  });

  it('fails for a key that may not even see sandboxes, and for one that TrueNAS does not accept', async () => {
    const nobody = await as(server.addKey({ roles: [], webShell: false }), doctor);
    expect(nobody.exit).toBe(1);
    expect(nobody.checks.filter(({ verdict }) => verdict === 'failed').map(({ title }) => title)).toEqual([
      'Sandboxes',
      'API key',
    ]);
    const expired = await as(server.addKey({ expired: true }), doctor);
    expect(expired.exit).toBe(1);
    expect(of(expired.checks, 'Server')?.sentence).toContain('has expired or was revoked');
  });

  it('tells of a memory limit whether there is one, and makes a sandbox without a default that cannot be', async () => {
    const memory = '[defaults]\nmemory = 300\n';
    const { checks } = await as(server, doctor, memory);
    const typed = await as(server, (pixels) => pixels.run(['create', 'web', '--memory', '300', '--no-provision']));
    if (profile !== '26.0') {
      expect([of(checks, 'Memory limits'), of(checks, 'Defaults'), typed.exit]).toEqual([undefined, undefined, 0]);
      return;
    }
    const sentence = 'TrueNAS 26 cannot limit the memory of a sandbox.';
    expect(of(checks, 'Memory limits')).toMatchObject({ verdict: 'warning', sentence });
    expect(of(checks, 'Defaults')?.sentence).toContain(sentence);
    expect([typed.exit, typed.stderr]).toEqual([1, `pixels: ${sentence}\nLeave the memory out.\n`]);
    const byDefault = await as(server, (pixels) => pixels.run(['create', 'web', '--no-provision']), memory);
    expect(byDefault.exit).toBe(0);
    expect(byDefault.stderr).toContain(`pixels: ${sentence} The default of the configuration is left out.\n`);
  });
});
