import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectIncus } from '../../src/incus';
import type { Progress, Run, SandboxHost } from '../../src/sandbox/host';
import { silentLog } from '../../src/sandbox/log';
import { parseName } from '../../src/sandbox/name';
import { makeTestProject, type TestProject } from '../support/testProject';
import { eventually, exists, failure, remove } from './support';

/*
 * A simplestreams server on loopback with two tiny images, made here: `tiny/1`, and `slow/1`, which it sends for seconds.
 * Incus takes plain HTTP from an image server, so no certificate has to be installed on the machine.
 */

const name = parseName('ct-image');
let project: TestProject;
let host: SandboxHost;
let folder: string;
let server: http.Server;
let fingerprints: string[];
let requested: string[] = [];

beforeAll(async () => {
  project = await makeTestProject('pixels-contract');
  folder = mkdtempSync(path.join(os.tmpdir(), 'ct-images-'));
  const tiny = makeImage('tiny', 1_000);
  const slow = makeImage('slow', 6_000_000);
  fingerprints = [tiny, slow].map((image) => sha256(image));
  server = http.createServer((request, response) => {
    const file = request.url ?? '';
    requested.push(file);
    if (file === '/streams/v1/index.json') response.end(JSON.stringify(streamsIndex));
    else if (file === '/streams/v1/images.json') response.end(JSON.stringify(streamsImages({ tiny, slow })));
    else if (file === '/tiny') response.end(tiny);
    else if (file === '/slow') sendSlowly(response, slow);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const imageServer = `http://127.0.0.1:${port}`;
  const connection = { kind: 'unix', socket: project.socket, project: project.project, imageServer } as const;
  host = connectIncus(connection, { log: silentLog });
});

afterEach(async () => {
  await remove(host, name);
  requested = [];
});

afterAll(async () => {
  host.close();
  server.closeAllConnections();
  server.close();
  for (const fingerprint of fingerprints) await project.raw.request('DELETE', `/1.0/images/${fingerprint}`);
  rmSync(folder, { recursive: true });
  await project.remove();
});

describe('create on Incus', () => {
  it('takes an image that is there without asking the image server', async () => {
    await create(project.image);
    expect(requested).toEqual([]);
  });

  it('takes an image by the beginning of its fingerprint', async () => {
    const alias = encodeURIComponent(project.image);
    const { target } = (await project.raw.must('GET', `/1.0/images/aliases/${alias}`)) as { target: string };
    await create(target.slice(0, 12));
    expect(requested).toEqual([]);
  });

  it('downloads an image that is not there from the image server', async () => {
    await create('tiny/1');
    expect(requested).toContain('/tiny');
    expect(await host.get(name)).toMatchObject({
      status: 'stopped',
      image: expect.stringMatching(/^Tiny 1 \w+ \(20261123\)$/) as string,
    });
  });

  it('asks the image server when the image is named with "images:"', async () => {
    const error = await failure(create(`images:${project.image}`), 'not-found');
    expect(error.message).toContain('neither');
    await create('images:tiny/1');
    expect(await exists(host, name)).toBe(true);
  });

  it('shows how far a download is', async () => {
    const progress: Progress[] = [];
    await create('slow/1', { onProgress: (step) => progress.push(step) });
    const downloads = progress.filter(({ message }) => message.startsWith('Downloading the image: '));
    expect(downloads.length).toBeGreaterThan(1);
    const fractions = downloads.flatMap(({ fraction }) => fraction ?? []);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.every((fraction) => fraction > 0 && fraction <= 1)).toBe(true);
    await project.raw.must('DELETE', `/1.0/images/${fingerprints[1]!}`);
  });

  it('stops a download that is cancelled, and makes nothing', async () => {
    const abort = new AbortController();
    const creating = create('slow/1', { signal: abort.signal });
    await eventually(5_000, () => requested.find((file) => file === '/slow'));
    const started = performance.now();
    abort.abort();
    await failure(creating, 'cancelled');
    expect(performance.now() - started).toBeLessThan(1_500);
    expect(await exists(host, name)).toBe(false);
    expect((await project.raw.request('GET', `/1.0/images/${fingerprints[1]!}`)).status).toBe(404);
  });
});

function create(image: string, run: Run = {}): Promise<void> {
  return host.create({ name, image, limits: {}, placement: {}, state: {} }, run);
}

const product = (alias: string): string => `test:${alias}:amd64:default`;

const streamsIndex = {
  format: 'index:1.0',
  index: {
    images: {
      datatype: 'image-downloads',
      path: 'streams/v1/images.json',
      format: 'products:1.0',
      products: ['tiny', 'slow'].map(product),
    },
  },
};

function streamsImages(images: Record<string, Buffer>) {
  const products = Object.entries(images).map(([alias, content]) => {
    const file = { ftype: 'incus_combined.tar.gz', path: alias, sha256: sha256(content), size: content.length };
    const title = alias === 'tiny' ? 'Tiny' : 'Slow';
    return [
      product(alias),
      {
        aliases: `${alias}/1`,
        arch: process.arch === 'arm64' ? 'arm64' : 'amd64',
        os: title,
        release: '1',
        release_title: '1',
        variant: 'default',
        versions: { '20261123': { items: { 'incus_combined.tar.gz': file } } },
      },
    ];
  });
  return {
    content_id: 'images',
    datatype: 'image-downloads',
    format: 'products:1.0',
    products: Object.fromEntries(products) as object,
  };
}

/** An image that can be made into an instance, though not started. */
function makeImage(alias: string, ballastBytes: number): Buffer {
  const root = path.join(folder, alias);
  mkdirSync(path.join(root, 'rootfs/etc'), { recursive: true });
  writeFileSync(path.join(root, 'rootfs/etc/image'), alias);
  writeFileSync(path.join(root, 'rootfs/ballast'), randomBytes(ballastBytes));
  const metadata = { architecture: process.arch === 'arm64' ? 'aarch64' : 'x86_64', creation_date: 1_790_000_000 };
  writeFileSync(path.join(root, 'metadata.yaml'), JSON.stringify(metadata));
  const file = path.join(folder, `${alias}.tar.gz`);
  execFileSync('tar', ['-czf', file, '-C', root, 'metadata.yaml', 'rootfs']);
  return readFileSync(file);
}

function sendSlowly(response: http.ServerResponse, content: Buffer): void {
  response.writeHead(200, { 'Content-Length': content.length });
  const step = Math.ceil(content.length / 30);
  let sent = 0;
  const timer = setInterval(() => {
    response.write(content.subarray(sent, (sent += step)));
    if (sent < content.length) return;
    clearInterval(timer);
    response.end();
  }, 100);
  response.on('close', () => clearInterval(timer));
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
