import { mkdtempSync, rmSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { egressOf, type Egress } from '../../src/egress';
import { guestSetup } from '../../src/provision';
import type { SandboxHost } from '../../src/sandbox/host';
import { Lifecycle } from '../../src/sandbox/lifecycle';
import { parseLabel, parseName } from '../../src/sandbox/name';
import { bridgeAddress } from '../support/closedNetwork';
import { trueNas, type Server } from '../support/servers';
import { makeTestProject, type TestProject } from '../support/testProject';
import { shell } from './support';

/* Where nothing can be written to a stopped sandbox: the same policy, by way of the first command in a running one. */

const name = parseName('restricted');
const directory = mkdtempSync(path.join(tmpdir(), 'pixels-egress-'));
let project: TestProject;
let server: Server;
let host: SandboxHost;
let egress: Egress;
let lifecycle: Lifecycle;
let address: string;
const listener = net.createServer((socket) => socket.destroy());

beforeAll(async () => {
  project = await makeTestProject('pixels-egress-nas');
  server = await trueNas('25.10.5')(project);
  host = server.connect();
  address = await bridgeAddress(project.raw);
  await new Promise<void>((resolve) => listener.listen(0, address, resolve));
  egress = egressOf({
    presetFile: path.join(directory, 'egress.toml'),
    mode: 'allowlist',
    allow: ['a.example'],
    enforcement: 'auto',
    gateway: () => Promise.reject(new Error('there is none')),
  });
  lifecycle = new Lifecycle(host, guestSetup({ user: 'pixel', publicKey: () => Promise.resolve('') }), egress);
});

afterAll(async () => {
  listener.close();
  host.close();
  rmSync(directory, { recursive: true });
  await server.close();
  await project.remove();
});

async function expectInForce(): Promise<void> {
  const { state } = await host.get(name);
  expect(state.egress).toBe(await egress.policyOf(host, 'allowlist'));
  expect(await egress.isInForce(host, name, state.egress!)).toBe(true);
  expect(await reachesHost()).toBe('no\n');
}

/** Whether it can connect to this machine, where somebody listens. */
function reachesHost(): Promise<string> {
  const { port } = listener.address() as AddressInfo;
  const script = `timeout 3 bash -c 'exec 3<>/dev/tcp/${address}/${port}' 2>/dev/null && echo yes || echo no`;
  return shell(host, name, script);
}

it('a new sandbox has the policy of the configuration, kept with it on the NAS', async () => {
  await lifecycle.create({ name, source: { image: project.image, placement: {} }, limits: {}, provision: false });
  await expectInForce();
});

it('so it has after a restart, and after a restore to a time without one', async () => {
  const [open, listed] = [await egress.policyOf(host, 'unrestricted'), await egress.policyOf(host, 'allowlist')];
  await lifecycle.changeEgress(name, () => open);
  expect(await egress.isInForce(host, name, open)).toBe(true);
  await expect.poll(reachesHost, { timeout: 10_000 }).toBe('yes\n');
  await lifecycle.createCheckpoint(name, parseLabel('open'));
  expect(await lifecycle.changeEgress(name, () => listed)).toBe(true);
  await expectInForce();
  await lifecycle.restart(name, { force: true, timeoutMs: 10_000 });
  await expectInForce();
  await lifecycle.restore(name, parseLabel('open'));
  await expectInForce();
});

it('where it is to be enforced by a gateway, nothing is made, and a sentence says why', async () => {
  const made = parseName('never');
  const policy = await egress.policyOf(host, 'agent', 'gateway');
  const request = { source: { image: project.image, placement: {} }, limits: {}, provision: false, egress: policy };
  await expect(lifecycle.create({ name: made, ...request })).rejects.toMatchObject({
    kind: 'unsupported',
    message: 'Gateway enforcement needs Incus: this server has no networks of its own for sandboxes.',
  });
  await expect(host.get(made)).rejects.toMatchObject({ kind: 'not-found' });
  await expect(lifecycle.changeEgress(name, () => policy)).rejects.toMatchObject({ kind: 'unsupported' });
  await expectInForce();
});
