import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectIncus, type IncusConnection } from '../../src/incus';
import type { SandboxHost } from '../../src/sandbox/host';
import { silentLog } from '../../src/sandbox/log';
import { parseName } from '../../src/sandbox/name';
import { makeTestProject, type TestProject } from '../support/testProject';
import { failure, FORCE, remove } from './support';

let project: TestProject;
let host: SandboxHost;
let folder: string;

beforeAll(async () => {
  project = await makeTestProject('pixels-contract');
  host = connect({ kind: 'unix', socket: project.socket, project: project.project });
  folder = mkdtempSync(path.join(os.tmpdir(), 'ct-errors-'));
});

afterAll(async () => {
  host.close();
  rmSync(folder, { recursive: true });
  await project.remove();
});

function connect(connection: IncusConnection): SandboxHost {
  return connectIncus(connection, { log: silentLog });
}

describe('a daemon that cannot be reached', () => {
  it('without a socket: says where it was looked for and how to start it', async () => {
    const error = await failure(connect({ kind: 'unix', socket: '/no/such/socket' }).info(), 'unreachable');
    expect(error.message).toContain('/no/such/socket');
    expect(error.hint).toContain('systemctl start incus');
  });

  it('with a socket that nobody listens on: says that it is not running', async () => {
    const socket = path.join(folder, 'dead.socket');
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    // A killed daemon leaves its socket behind; closing the server here would remove it.
    const dead = `${socket}.left`;
    await promisify(execFile)('cp', ['-a', socket, dead]);
    server.close();
    const error = await failure(connect({ kind: 'unix', socket: dead }).info(), 'unreachable');
    expect(error.message).toContain('not running');
  });

  it('with a socket that this user may not use: says which group it is for', async () => {
    const outfile = path.join(folder, 'asNobody.mjs');
    const contents = `
      import { connectIncus } from './src/incus';
      const log = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
      connectIncus({ kind: 'unix', socket: process.argv[2] }, { log }).info().catch((error) => {
        console.log(JSON.stringify({ kind: error.kind, message: error.message, hint: error.hint }));
      });`;
    await build({
      stdin: { contents, resolveDir: path.join(import.meta.dirname, '../..') },
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      external: ['bufferutil', 'utf-8-validate'],
      banner: { js: "import{createRequire as r}from'node:module';const require=r(import.meta.url);" },
    });
    await promisify(execFile)('chmod', ['-R', 'a+rX', folder]);
    // The daemon's own folder is closed to others: a socket beside it, as /var/lib/incus/unix.socket is to those outside the group.
    const socket = path.join(folder, 'group.socket');
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    await promisify(execFile)('chmod', ['660', socket]);
    const nobody = { uid: 65534, gid: 65534 };
    const { stdout } = await promisify(execFile)(process.execPath, [outfile, socket], nobody);
    server.close();
    const error = JSON.parse(stdout) as { kind: string; message: string; hint: string };
    expect(error.kind).toBe('forbidden');
    expect(error.message).toContain('incus-admin');
    expect(error.hint).toContain('usermod -aG incus-admin');
  });

  it('that is something else than Incus: says so', async () => {
    const socket = path.join(folder, 'other.socket');
    const server = net.createServer((client) => {
      client.on('error', () => undefined);
      client.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    await failure(connect({ kind: 'unix', socket }).info(), 'protocol');
    server.close();
  });
});

describe('what the daemon refuses', () => {
  const name = parseName('ct-error');

  it('a project that does not exist is an error of the configuration', async () => {
    const other = connect({ kind: 'unix', socket: project.socket, project: 'no-such-project' });
    const error = await failure(other.info(), 'config');
    expect(error.hint).toContain('incus.project');
    other.close();
  });

  it('a taken name is no SQL error', async () => {
    const spec = { name, image: project.image, limits: {}, placement: {}, state: {} };
    try {
      await host.create(spec);
      const error = await failure(host.create(spec), 'exists');
      expect(`${error.message} ${error.hint ?? ''}`).not.toMatch(/sql|constraint|px-/i);
      expect((error.cause as Error).message).toMatch(/UNIQUE/); // the log has it
    } finally {
      await remove(host, name);
    }
  });

  it('a name that another project has on the same network is taken', async () => {
    const neighbour = connect({ kind: 'unix', socket: project.socket, project: 'default' });
    const spec = { name, image: project.image, limits: {}, placement: {}, state: {} };
    try {
      await neighbour.create(spec);
      await neighbour.start(name);
      const error = await failure(
        host.create(spec).then(() => host.start(name)),
        'exists',
      );
      expect(error.message).toContain('Another Incus project');
    } finally {
      await remove(host, name);
      await remove(neighbour, name);
      neighbour.close();
    }
  });

  it('an image that cannot be had names those that can', async () => {
    const elsewhere = { kind: 'unix', socket: project.socket, imageServer: 'https://127.0.0.1:1' } as const;
    const other = connect({ ...elsewhere, project: project.project });
    for (const image of ['no-such-image', `images:${project.image}`]) {
      const error = await failure(other.create({ name, image, limits: {}, placement: {}, state: {} }), 'not-found');
      expect(error.message).toContain(image);
      expect(error.message).toContain('https://127.0.0.1:1');
      expect(error.hint).toContain(project.image);
    }
    other.close();
  });

  it('a sandbox that something else is being done to is busy', async () => {
    try {
      await host.create({ name, image: project.image, limits: {}, placement: {}, state: {} });
      await host.start(name);
      const outcomes = await Promise.allSettled([host.stop(name, FORCE), host.destroy(name), host.start(name)]);
      const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
      for (const error of refused) expect(['busy', 'wrong-state']).toContain((error as { kind: string }).kind);
    } finally {
      await remove(host, name);
    }
  });
});
