import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openPixels, type Pixels } from '../../src/app/pixels';
import { loadConfig } from '../../src/config';
import { silentLog } from '../../src/sandbox/log';
import { parseName } from '../../src/sandbox/name';
import { makeTestProject, type TestProject } from '../support/testProject';

// The editor is a stand-in; the daemon, the sandbox and the SSH files are real.
vi.mock('vscode', () => import('../unit/vscode/fakeVscode'));
const { Activity } = await import('../../src/vscode/activity');
const { beforeConnecting } = await import('../../src/vscode/remote/beforeConnecting');

const name = parseName('reconnect');
let project: TestProject;
let pixels: Pixels;
let home: string;

beforeAll(async () => {
  project = await makeTestProject('pixels-reconnect');
  home = mkdtempSync(path.join(tmpdir(), 'pixels-reconnect-'));
  const incus = { socket: project.socket, project: project.project };
  const { config } = await loadConfig({ file: path.join(home, 'config.toml'), env: {}, overrides: { incus } });
  pixels = await openPixels({ config, log: silentLog, home, dist: path.resolve('dist') });
  const source = { image: project.image, placement: {} };
  await pixels.lifecycle.create({ name, source, limits: {}, provision: true });
  await pixels.lifecycle.stop(name);
});

afterAll(async () => {
  pixels.close();
  rmSync(home, { recursive: true });
  await project.remove();
});

it('a window that is about to connect to a stopped sandbox finds it started, and its SSH entry written', async () => {
  const entries = path.join(home, '.ssh/pixels/config');
  expect(existsSync(entries)).toBe(false);
  const face = { activity: new Activity(), current: { use: (work: (p: Pixels) => unknown) => work(pixels) } };
  await beforeConnecting(face as unknown as Parameters<typeof beforeConnecting>[0], name);
  expect(await project.raw.must('GET', '/1.0/instances/px-reconnect')).toMatchObject({ status: 'Running' });
  expect(readFileSync(entries, 'utf8')).toContain('Host reconnect.pixels');
  const { hostKey } = (await pixels.host.get(name)).state;
  expect(readFileSync(path.join(home, '.ssh/pixels/known_hosts'), 'utf8')).toContain(hostKey);
});
