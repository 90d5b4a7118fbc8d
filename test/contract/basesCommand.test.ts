import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { endOf, PixelsCommand } from '../support/pixelsCommand';
import { RawIncus } from '../support/rawIncus';
import { makeTestProject, type TestProject } from '../support/testProject';
import { eventually } from './support';

let project: TestProject;
let pixels: PixelsCommand;

beforeAll(async () => {
  project = await makeTestProject('pixels-bases-cli');
  pixels = new PixelsCommand(project);
  Object.assign(pixels.env, { PIXELS_PROVISION_DEVTOOLS: 'true', PIXELS_PROVISION_RECIPE: 'small' });
  const directory = path.join(pixels.home, '.config/pixels/recipes');
  mkdirSync(directory, { recursive: true });
  const step =
    '[[steps]]\nid = "one"\ntitle = "the first"\nscript = "cat /proc/sys/kernel/random/uuid >/etc/did; sleep 1"';
  writeFileSync(path.join(directory, 'small.toml'), `title = "Small"\n${step}`);
});

afterAll(async () => {
  pixels.remove();
  await project.remove();
});

async function statusOf(name: string): Promise<string | undefined> {
  const bases = (await pixels.json('base', 'list')) as { name: string; status: string }[];
  return bases.find((base) => base.name === name)?.status;
}

it('the first create provisions in place and has the base built; the second one clones it', async () => {
  const first = await pixels.run(['create', 'first', '--wait']);
  expect(first).toMatchObject({ exit: 0 });
  expect(first.stderr).toContain('The base small is being built in the background');
  await eventually(90_000, async () => ((await statusOf('small')) === 'ready' ? true : undefined));
  const second = await pixels.run(['create', 'second']);
  expect([second.exit, second.stderr]).toEqual([0, expect.any(String)]);
  expect(second.stderr).toContain('Cloning the base small…');
  expect(second.stderr).toContain('second is ready.');
  expect(second.stderr).not.toContain('background');
  expect(await pixels.must('status', 'second')).toMatch(/^Recipe: +small, done$/m);
  const [one, two] = await Promise.all(
    ['first', 'second'].map((name) => pixels.must('exec', name, '--', 'cat', '/etc/did')),
  );
  expect(two).toMatch(/^[0-9a-f-]{36}\n$/);
  expect(two).not.toBe(one);
  const listed = (await pixels.json('list')) as { name: string }[];
  expect(listed.map(({ name }) => name)).toEqual(['first', 'second']);
  expect(await pixels.must('ssh-config')).not.toContain('base-small');
  for (const name of ['first', 'second']) await pixels.must('destroy', name);
});

it('killed in the middle, a build is shown as nothing, and the next one is whole', async () => {
  await pixels.must('base', 'delete', 'small');
  const child = pixels.start(['base', 'build', 'small']);
  child.stderr!.on('data', (chunk: Buffer) => {
    if (chunk.toString().includes('installing the first')) child.kill('SIGKILL');
  });
  expect(await endOf(child)).toMatchObject({ exit: 'SIGKILL' });
  expect(await project.raw.request('GET', '/1.0/instances/px-base-small')).toMatchObject({ status: 200 });
  expect(await statusOf('small')).toBe('missing');
  expect(await project.raw.request('GET', '/1.0/instances/px-base-small')).toMatchObject({ status: 404 });
  const both = await Promise.all([1, 2].map(() => pixels.run(['base', 'build', 'small'])));
  expect(both.map(({ exit }) => exit)).toEqual([0, 0]);
  expect(both.some(({ stderr }) => /Waiting for process \d+, which is building the base small/.test(stderr))).toBe(
    true,
  );
  expect(await pixels.must('base', 'list')).toMatch(/^small +up to date +/m);
});

it('nothing is built by itself where one does not want that, or where another source is named', async () => {
  await pixels.must('base', 'delete', 'small');
  const env = pixels.env as Record<string, string>;
  const plain = await pixels.run(['create', 'plain', '--image', project.image]);
  env['PIXELS_PROVISION_AUTO_BUILD'] = 'false';
  const quiet = await pixels.run(['create', 'quiet', '--base', 'small']);
  expect([plain, quiet].map(({ exit, stderr }) => [exit, stderr.includes('background')])).toEqual([
    [0, true], // the recipe itself goes on in the background
    [0, true],
  ]);
  for (const { stderr } of [plain, quiet]) expect(stderr).not.toContain('The base small');
  expect(await statusOf('small')).toBe('missing');
  expect(await pixels.run(['create', 'x', '--base', 'nothing'])).toMatchObject({
    exit: 1,
    stderr: expect.stringContaining('There is no recipe "nothing".') as string,
  });
});

it('whose name an instance of another project has on the same network ends, and says so', async () => {
  const other = new RawIncus(project.socket);
  const source = { type: 'image', alias: project.image };
  await other.must('POST', '/1.0/instances', { name: 'px-base-small', source });
  try {
    const { exit, stderr } = await pixels.run(['base', 'build', 'small']);
    expect({ exit, stderr }).toMatchObject({ exit: 1 });
    expect(stderr).toContain(
      'Another Incus project has an instance with the name of "base-small" on the same network.',
    );
    expect(await statusOf('small')).toBe('missing');
  } finally {
    await other.must('DELETE', '/1.0/instances/px-base-small');
    other.close();
  }
});
