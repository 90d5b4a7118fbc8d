import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectIncus } from '../../src/incus';
import { baseCatalog, guestSetup } from '../../src/provision';
import { Bases } from '../../src/sandbox/bases';
import type { GuestSetup } from '../../src/sandbox/guest';
import type { SandboxHost } from '../../src/sandbox/host';
import { Lifecycle } from '../../src/sandbox/lifecycle';
import { silentLog } from '../../src/sandbox/log';
import { parseName } from '../../src/sandbox/name';
import { readProvisionRecord } from '../../src/sandbox/provisioning';
import { makeTestProject, type TestProject } from '../support/testProject';
import { remove, shell } from './support';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
let project: TestProject;
let host: SandboxHost;
let guest: GuestSetup;
let lifecycle: Lifecycle;
let folder: string;
let downloads: http.Server;
let updateUrl: string;

/** A download server with archives of the real ones' shape: Microsoft's cannot be reached from the test machines. */
beforeAll(async () => {
  project = await makeTestProject('pixels-editor');
  folder = mkdtempSync(path.join(tmpdir(), 'pixels-editor-'));
  mkdirSync(path.join(folder, 'vscode-server-linux-x64'));
  writeFileSync(path.join(folder, 'vscode-server-linux-x64/product.json'), '{}');
  writeFileSync(path.join(folder, 'code'), '#!/bin/sh\n', { mode: 0o755 });
  execFileSync('tar', ['-C', folder, '-czf', path.join(folder, 'server.tgz'), 'vscode-server-linux-x64']);
  execFileSync('tar', ['-C', folder, '-czf', path.join(folder, 'cli.tgz'), 'code']);
  downloads = http.createServer((request, response) => {
    const [, kind] =
      new RegExp(`^/commit:${COMMIT}/(server-linux|cli-alpine)-(?:x64|arm64)/stable$`).exec(request.url ?? '') ?? [];
    if (kind === undefined) response.writeHead(404).end();
    else response.end(readFileSync(path.join(folder, kind === 'server-linux' ? 'server.tgz' : 'cli.tgz')));
  });
  const networks = (await project.raw.must('GET', '/1.0/networks?recursion=1')) as Record<string, unknown>[];
  const { config } = networks.find(({ managed }) => managed === true) as { config: Record<string, string> };
  const bridge = config['ipv4.address']!.replace(/\/.*/, '');
  await new Promise<void>((resolve) => downloads.listen(0, bridge, resolve));
  updateUrl = `http://${bridge}:${(downloads.address() as AddressInfo).port}`;

  const recipe = path.join(folder, 'small.toml');
  writeFileSync(recipe, 'title = "Small"\n[[steps]]\nid = "tools"\npackages = ["curl"]');
  host = connectIncus({ kind: 'unix', socket: project.socket, project: project.project }, { log: silentLog });
  const publicKey = (): Promise<string> => Promise.resolve('ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE5v test');
  guest = guestSetup({ user: 'pixel', publicKey });
  lifecycle = new Lifecycle(host, guest);
});

afterAll(async () => {
  host.close();
  downloads.close();
  rmSync(folder, { recursive: true });
  await project.remove();
});

it.each([
  ['is where Remote - SSH looks for it, of the version of the editor', COMMIT, 'done'],
  ['is left out where it cannot be had, and the recipe has not failed', 'f'.repeat(40), 'omitted'],
])('the server of the editor %s', async (_, commit, outcome) => {
  const name = parseName('editor');
  const editor = { commit, quality: 'stable', dataFolder: '.vscode-server', updateUrl };
  const source = { image: project.image, placement: {} };
  const recipe = path.join(folder, 'small.toml');
  try {
    await lifecycle.create({ name, source, limits: {}, provision: true, recipe, editor });
    const progress = await lifecycle.provisioner.follow(name, () => undefined);
    expect(progress).toMatchObject({ outcome: 'done', steps: [{ id: 'tools' }, { id: 'editor-server', outcome }] });
    const found = await shell(
      host,
      name,
      'cd /home/pixel && find .vscode-server -type f -user pixel 2>/dev/null | sort || true',
    );
    const whole = [`cli/servers/Stable-${commit}/server/product.json`, `code-${commit}`].map(
      (file) => `.vscode-server/${file}\n`,
    );
    expect(found).toBe(outcome === 'done' ? whole.join('') : '');
  } finally {
    await remove(host, name);
  }
});

it('a clone of a base gets the server of the editor alone, and stays what the base made it', async () => {
  const recipe = path.join(folder, 'small.toml');
  const catalog = baseCatalog({ directory: folder, image: project.image, recipe, facts: [] });
  const bases = new Bases({ host, guest, placement: {}, catalog });
  const base = catalog.nameOf(recipe);
  await bases.build(base);
  const { source } = await bases.bestSource(base);
  const name = parseName('clone');
  const editor = { commit: COMMIT, quality: 'stable', dataFolder: '.vscode-server', updateUrl };
  try {
    await lifecycle.create({ name, source, limits: {}, provision: true, editor });
    const progress = await lifecycle.provisioner.follow(name, () => undefined);
    expect(progress).toMatchObject({ outcome: 'done', steps: [{ id: 'editor-server', outcome: 'done' }] });
    expect(await shell(host, name, 'cat /home/pixel/.vscode-server/cli/servers/*/server/product.json')).toBe('{}');
    const { provision } = (await host.get(name)).state;
    expect(readProvisionRecord(provision)).toMatchObject({ recipe, outcome: 'done' });
  } finally {
    await remove(host, name);
    await bases.delete(base);
  }
});
