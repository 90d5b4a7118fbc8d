import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectIncus } from '../../src/incus';
import type { SandboxHost } from '../../src/sandbox/host';
import { silentLog } from '../../src/sandbox/log';
import { parseLabel, parseName, type SandboxName } from '../../src/sandbox/name';
import { makeTestProject, type TestProject } from '../support/testProject';
import { eventually, shell } from './support';

const names = Array.from({ length: 6 }, (_, index) => parseName(`ct-many-${index}`));
const bridged = parseName('ct-bridged');
let project: TestProject;
let host: SandboxHost;
let requests: string[] = [];

beforeAll(async () => {
  project = await makeTestProject('pixels-contract');
  const log = { ...silentLog, trace: (message: string) => requests.push(message) };
  host = connectIncus({ kind: 'unix', socket: project.socket, project: project.project }, { log });
  const spec = { image: project.image, limits: {}, placement: {}, state: {} };
  await host.create({ ...spec, name: names[0]! });
  for (const name of names.slice(1)) await host.copy({ name, source: { name: names[0]! }, limits: {}, state: {} });
  await host.createCheckpoint(names[1]!, parseLabel('one'));
  await host.createCheckpoint(names[1]!, parseLabel('two'));
  await host.start(names[2]!);
  await project.raw.must('POST', '/1.0/instances', { name: 'someone-elses', source: { type: 'none' } });
});

afterAll(async () => {
  host.close();
  await project.remove();
});

async function requestsOfList(): Promise<string[]> {
  requests = [];
  await host.list();
  return [...requests];
}

describe('list on Incus', () => {
  it('needs as many requests for many sandboxes as for few', async () => {
    await requestsOfList();
    const few = await requestsOfList();
    for (let index = 0; index < 10; index++) {
      await host.copy({ name: extra(index), source: { name: names[1]! }, limits: {}, state: {} });
    }
    const many = await requestsOfList();
    expect(many).toHaveLength(few.length);
    expect(few.length).toBeLessThanOrEqual(3);
    for (let index = 0; index < 10; index++) await host.destroy(extra(index));
  });

  it('counts the checkpoints of each', async () => {
    const counts = new Map((await host.list()).map(({ name, checkpointCount }) => [name, checkpointCount]));
    expect(counts.get(names[1]!)).toBe(2);
    expect(counts.get(names[2]!)).toBe(0);
  });

  it('knows the addresses of those that run, from one request', async () => {
    const found = await eventually(15_000, async () => {
      const addresses = new Map((await host.list()).map((sandbox) => [sandbox.name, sandbox.addresses]));
      return addresses.get(names[2]!)?.length ? addresses : undefined;
    });
    expect(found.get(names[1]!)).toEqual([]);
    expect(requests.filter((request) => request.includes('/state'))).toEqual([]);
  });

  it('asks an instance itself when it is on a network that Incus does not manage', async () => {
    const { devices } = (await project.raw.must('GET', '/1.0/profiles/default')) as {
      devices: Record<string, { network?: string }>;
    };
    const parent = devices['eth0']?.network ?? '';
    await host.copy({ name: bridged, source: { name: names[0]! }, limits: {}, state: {} });
    const nic = { type: 'nic', name: 'eth0', nictype: 'bridged', parent };
    await project.raw.must('PATCH', '/1.0/instances/px-ct-bridged', { devices: { eth0: nic } });
    await host.start(bridged);
    // An address that no DHCP server of Incus knows.
    await shell(host, bridged, 'ip addr add 10.98.7.6/24 dev eth0');
    const found = (await host.list()).find((sandbox) => sandbox.name === bridged);
    expect(found?.addresses).toContain('10.98.7.6');
    expect((await requestsOfList()).filter((request) => request.includes('/state'))).toHaveLength(1);
  });

  it('shows only our own: containers with the prefix, of this project', async () => {
    const listed = (await host.list()).map(({ name }) => name);
    expect(listed).toEqual([bridged, ...names]);
  });

  it('logs every request with its time and no secret', async () => {
    requests = [];
    await (
      await host.exec(names[2]!, { command: ['true'], env: { TOKEN: 'hunter2' } })
    ).exitCode;
    expect(requests.some((line) => /POST .*\/exec.* \d+\.\d ms$/.test(line))).toBe(true);
    expect(requests.some((line) => /WebSocket exec 0 open/.test(line))).toBe(true);
    expect(requests.join('\n')).not.toMatch(/hunter2|secret=[0-9a-f]/);
  });
});

function extra(index: number): SandboxName {
  return parseName(`ct-extra-${index}`);
}
