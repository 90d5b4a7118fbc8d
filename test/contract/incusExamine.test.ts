import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectIncus, type IncusConnection } from '../../src/incus';
import type { Check } from '../../src/sandbox/check';
import { silentLog } from '../../src/sandbox/log';
import { RawIncus } from '../support/rawIncus';
import { makeTestProject, type TestProject } from '../support/testProject';

/* What `examine` finds on an Incus that is not as it should be, beyond what it finds on every server. */

const BARE = 'pixels-examine-bare';
let project: TestProject;
let folder: string;

beforeAll(async () => {
  project = await makeTestProject('pixels-examine');
  folder = mkdtempSync(path.join(os.tmpdir(), 'ct-examine-'));
  const config = { 'features.images': 'false', 'features.profiles': 'true' };
  await project.raw.request('DELETE', `/1.0/projects/${BARE}`);
  await project.raw.must('POST', '/1.0/projects', { name: BARE, config });
});

afterAll(async () => {
  await project.raw.must('DELETE', `/1.0/projects/${BARE}`);
  await project.remove();
  rmSync(folder, { recursive: true });
});

/** By title, for these defaults. */
async function examined(
  connection: IncusConnection,
  wanted: { image?: string; pool?: string; network?: string } = {},
): Promise<Record<string, Check>> {
  const host = connectIncus(connection, { log: silentLog });
  try {
    const all = { image: project.image, pool: undefined, network: undefined, ...wanted };
    return Object.fromEntries((await host.examine(all)).map((found) => [found.title, found]));
  } finally {
    host.close();
  }
}

const inProject = (name = project.project) => ({ kind: 'unix', socket: project.socket, project: name }) as const;

describe('examining an Incus', () => {
  it('says which project, pool, network and image it is about', async () => {
    const { Project, Storage, Network, Image } = await examined(inProject());
    expect(Project?.sentence).toContain(project.project);
    expect(Storage?.sentence).toMatch(/^New sandboxes are on the pool "default" \(\w+\)\.$/);
    expect(Network?.sentence).toMatch(/^New sandboxes are connected to "\S+"\.$/);
    expect(Image?.sentence).toBe(`"${project.image}" is on the server.`);
  });

  it.each(['no/such/image', 'images:debian/12'])(
    'says where %s comes from, which is not on the server',
    async (image) => {
      const { Image } = await examined({ ...inProject(), imageServer: 'https://images.example' }, { image });
      expect(Image).toMatchObject({
        verdict: 'ok',
        sentence: expect.stringContaining('https://images.example') as unknown,
      });
    },
  );

  it('finds a default profile without a root disk and a network interface', async () => {
    const { Storage, Network } = await examined(inProject(BARE));
    expect(Storage).toMatchObject({ verdict: 'failed', advice: expect.stringContaining('defaults.pool') as unknown });
    expect(Network).toMatchObject({
      verdict: 'warning',
      advice: expect.stringContaining('defaults.network') as unknown,
    });
    const placed = await examined(inProject(BARE), { pool: 'default', network: await someNetwork() });
    expect([placed['Storage']?.verdict, placed['Network']?.verdict]).toEqual(['ok', 'ok']);
  });

  it('finds a project that is not there', async () => {
    const { Project } = await examined(inProject('pixels-nowhere'));
    expect(Project).toMatchObject({ verdict: 'failed', advice: expect.stringContaining('incus.project') as unknown });
  });

  it('finds all in order for a client that is restricted to its project, but not another one', async () => {
    const { certificate, key } = newCertificate('restricted');
    const body = {
      name: 'pixels-examine-restricted',
      type: 'client',
      restricted: true,
      projects: [project.project],
      certificate: certificate.replace(/-----[^-]+-----|\s/g, ''),
    };
    const raw = new RawIncus(project.socket, 'default');
    await raw.must('POST', '/1.0/certificates', body);
    try {
      const restricted = {
        kind: 'https',
        url: process.env['PIXELS_TEST_HTTPS']!,
        clientCertPem: certificate,
        clientKeyPem: key,
        serverCertPem: readFileSync(process.env['PIXELS_TEST_SERVER_CERT']!, 'utf8'),
      } as const;
      const own = Object.values(await examined({ ...restricted, project: project.project }));
      expect(new Set(own.map(({ verdict }) => verdict))).toEqual(new Set(['ok']));
      expect((await examined({ ...restricted, project: 'default' }))['Project']?.verdict).toBe('failed');
    } finally {
      const all = (await raw.must('GET', '/1.0/certificates?recursion=1')) as { name: string; fingerprint: string }[];
      for (const { name, fingerprint } of all) {
        if (name === body.name) await raw.must('DELETE', `/1.0/certificates/${fingerprint}`);
      }
      raw.close();
    }
  });
});

async function someNetwork(): Promise<string> {
  const all = (await project.raw.must('GET', '/1.0/networks?recursion=1')) as { name: string; managed: boolean }[];
  return all.find(({ managed }) => managed)!.name;
}

function newCertificate(name: string): { certificate: string; key: string } {
  const files = { certificate: path.join(folder, `${name}.crt`), key: path.join(folder, `${name}.key`) };
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const out = ['-subj', `/CN=${name}`, '-keyout', files.key, '-out', files.certificate];
  execFileSync('openssl', ['req', ...kind, ...out], { stdio: 'ignore' });
  return { certificate: readFileSync(files.certificate, 'utf8'), key: readFileSync(files.key, 'utf8') };
}
