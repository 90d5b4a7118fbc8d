import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectIncus, type IncusConnection } from '../../src/incus';
import { outputOf } from '../../src/sandbox/exec';
import type { HostEvent, SandboxHost } from '../../src/sandbox/host';
import { silentLog } from '../../src/sandbox/log';
import { parseLabel, parseName } from '../../src/sandbox/name';
import { makeTestProject, type TestProject } from '../support/testProject';
import { eventually, failure, FORCE, inside, remove, shell } from './support';

type HttpsConnection = Extract<IncusConnection, { kind: 'https' }>;

let project: TestProject;
let connection: HttpsConnection;
let folder: string;

beforeAll(async () => {
  project = await makeTestProject('pixels-contract');
  const { PIXELS_TEST_HTTPS, PIXELS_TEST_CLIENT_CERT, PIXELS_TEST_CLIENT_KEY, PIXELS_TEST_SERVER_CERT } = process.env;
  connection = {
    kind: 'https',
    url: needed(PIXELS_TEST_HTTPS),
    clientCertPem: readFileSync(needed(PIXELS_TEST_CLIENT_CERT), 'utf8'),
    clientKeyPem: readFileSync(needed(PIXELS_TEST_CLIENT_KEY), 'utf8'),
    serverCertPem: readFileSync(needed(PIXELS_TEST_SERVER_CERT), 'utf8'),
    project: project.project,
  };
  folder = mkdtempSync(path.join(os.tmpdir(), 'ct-https-'));
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await project.remove();
});

describe('Incus over HTTPS with a pinned certificate', () => {
  it('does the main job: create, start, run, checkpoint, roll back, watch, destroy', async () => {
    const host = connect();
    const name = parseName('ct-https');
    const label = parseLabel('one');
    const events: HostEvent[] = [];
    const watch = host.watch((event) => events.push(event));
    try {
      expect((await host.info()).title).toContain('Incus');
      await host.create({ name, image: project.image, limits: {}, placement: {}, state: { sshUser: 'x' } });
      await host.start(name);
      const script = 'cat; echo err >&2; exit 3';
      expect(await outputOf(host, name, { command: ['sh', '-c', script] }, undefined, 'in')).toEqual({
        exitCode: 3,
        stdout: 'in',
        stderr: 'err\n',
      });
      const tty = { columns: 80, rows: 25 };
      expect((await outputOf(host, name, { command: ['stty', 'size'], tty })).stdout).toBe('25 80\r\n');
      await shell(host, name, 'echo then >/root/file');
      await host.createCheckpoint(name, label);
      await shell(host, name, 'echo now >/root/file');
      await host.stop(name, FORCE);
      await host.rollback(name, label);
      expect(await inside(host, name, 'cat /root/file')).toBe('then\n');
      await eventually(2_000, () => events.find((event) => event.kind === 'checkpoints-changed'));
      expect(events[0]).toEqual({ kind: 'connected' });
      await host.destroy(name);
    } finally {
      watch.close();
      await remove(host, name);
      host.close();
    }
  });

  it('carries 100 MB through a command', async () => {
    const host = connect();
    const name = parseName('ct-https');
    try {
      await host.create({ name, image: project.image, limits: {}, placement: {}, state: {} });
      await host.start(name);
      const session = await host.exec(name, { command: ['cat'] });
      const chunk = Buffer.alloc(1_000_000, 'x');
      const feed = (async () => {
        for (let count = 0; count < 100; count++) {
          if (!session.stdin.write(chunk)) await new Promise((resolve) => session.stdin.once('drain', resolve));
        }
        session.stdin.end();
      })();
      let size = 0;
      for await (const part of session.stdout) size += (part as Buffer).length;
      await feed;
      expect([size, await session.exitCode]).toEqual([100_000_000, 0]);
    } finally {
      await remove(host, name);
      host.close();
    }
  });

  it('refuses a server with another certificate, before anything is sent', async () => {
    const other = connect({ serverCertPem: newCertificate('other').certificate });
    const error = await failure(other.info(), 'config');
    expect(error.message).toContain('pinned');
    const events: HostEvent[] = [];
    const watch = other.watch((event) => events.push(event));
    await eventually(2_000, () => events.find(({ kind }) => kind === 'disconnected'));
    expect(events[0]).toMatchObject({ kind: 'disconnected', error: { kind: 'config' } });
    watch.close();
    other.close();
  });

  it('refuses a certificate that nobody vouches for when none is pinned', async () => {
    const other = connect({ serverCertPem: undefined });
    const error = await failure(other.info(), 'config');
    expect(error.hint).toContain('incus.server_cert');
    other.close();
  });

  it('says what to do when the server does not trust the client', async () => {
    const { certificate, key } = newCertificate('stranger');
    const other = connect({ clientCertPem: certificate, clientKeyPem: key });
    const error = await failure(other.info(), 'forbidden');
    expect(error.hint).toContain('incus config trust add-certificate');
    await failure(other.list(), 'forbidden');
    other.close();
  });

  it('says that nobody is there, and that a key does not fit', async () => {
    const nobody = connect({ url: 'https://127.0.0.1:1' });
    expect((await failure(nobody.info(), 'unreachable')).message).toContain('https://127.0.0.1:1');
    nobody.close();
    const { key } = newCertificate('unfit');
    expect(() => connect({ clientKeyPem: key })).toThrow(expect.objectContaining({ kind: 'config' }) as Error);
  });
});

function connect(changes: Partial<HttpsConnection> = {}): SandboxHost {
  return connectIncus({ ...connection, ...changes }, { log: silentLog });
}

function newCertificate(name: string): { certificate: string; key: string } {
  const files = { certificate: path.join(folder, `${name}.crt`), key: path.join(folder, `${name}.key`) };
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const out = ['-subj', `/CN=${name}`, '-keyout', files.key, '-out', files.certificate];
  execFileSync('openssl', ['req', ...kind, ...out], { stdio: 'ignore' });
  return { certificate: readFileSync(files.certificate, 'utf8'), key: readFileSync(files.key, 'utf8') };
}

function needed(value: string | undefined): string {
  if (value === undefined) throw new Error('PIXELS_TEST_HTTPS and its certificates are not set: use "npm test".');
  return value;
}
