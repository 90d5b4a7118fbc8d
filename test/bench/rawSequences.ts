import fs from 'node:fs';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
import type { TestProject } from '../support/testProject';
import { directLogin } from './ssh';
import { READY, type World } from './world';

interface Instance {
  readonly expanded_devices: Record<string, { network?: string }>;
}

/** What one would do with the bare API and nothing else: as few requests as it takes, one after another. */
export const rawSequences = {
  /** One request; it has no addresses and no checkpoints. */
  async list({ raw }: TestProject): Promise<void> {
    await raw.must('GET', '/1.0/instances?recursion=1');
  },

  /** The requests with which Pixels learns those too. */
  async listWithAll({ raw }: TestProject): Promise<void> {
    const volumes = raw.must('GET', '/1.0/storage-pools/default/volumes/container?recursion=1');
    const instances = (await raw.must('GET', '/1.0/instances?recursion=1')) as Instance[];
    const networks = instances.flatMap(({ expanded_devices }) => expanded_devices['eth0']?.network ?? []);
    const leases = [...new Set(networks)].map((network) => raw.must('GET', `/1.0/networks/${network}/leases`));
    await Promise.all([volumes, ...leases]);
  },

  async checkpoint({ raw }: TestProject, name: string, label: string): Promise<void> {
    await raw.must('POST', `/1.0/instances/px-${name}/snapshots`, { name: label, stateful: false });
  },

  /** Incus itself stops and starts a running instance around it. */
  async restore(world: World, name: string): Promise<void> {
    await world.project.raw.must('PUT', `/1.0/instances/px-${name}`, { restore: READY });
    await directLogin(world.directSsh, 'pixel', await address(world.project, name));
  },

  /** With a machine-id of its own; otherwise it would get its source's address. */
  async clone(world: World, name: string): Promise<void> {
    const { raw } = world.project;
    const source = { type: 'copy', source: `px-main/${READY}` };
    await raw.must('POST', '/1.0/instances', { name: `px-${name}`, source });
    await write(world.project, name, '/etc/machine-id', { type: 'file', mode: '0444', content: '' });
    await raw.must('PUT', `/1.0/instances/px-${name}/state`, { action: 'start' });
    await directLogin(world.directSsh, 'pixel', await address(world.project, name));
  },

  /** The image has sshd; the least that lets one in is root's authorized_keys. */
  async create(world: World, name: string): Promise<void> {
    const { raw, image } = world.project;
    await raw.must('POST', '/1.0/instances', { name: `px-${name}`, source: { type: 'image', alias: image } });
    await writeRootKey(world, name);
    await raw.must('PUT', `/1.0/instances/px-${name}/state`, { action: 'start' });
    await directLogin(world.directSsh, 'root', await address(world.project, name));
  },

  /** A command's three streams over WebSockets. */
  async exec({ raw, socket, project }: TestProject, name: string, command: readonly string[]): Promise<void> {
    const body = { command, 'wait-for-websocket': true, interactive: false };
    const started = await raw.once('POST', `/1.0/instances/px-${name}/exec`, body);
    const { id, metadata } = started.metadata as { id: string; metadata: { fds: Record<string, string> } };
    const sockets = Object.values(metadata.fds).map((secret) => {
      const url = `ws+unix:${socket}:/1.0/operations/${id}/websocket?secret=${secret}&project=${project}`;
      return new WebSocket(url, { perMessageDeflate: false });
    });
    await raw.once('GET', `/1.0/operations/${id}/wait?timeout=30`);
    for (const each of sockets) each.terminate();
  },
};

/** Asked for every 20 ms: there is no event for it. */
async function address({ raw }: TestProject, name: string): Promise<string> {
  interface State {
    network: Record<string, { addresses: { family: string; scope: string; address: string }[] }> | null;
  }
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    const { network } = (await raw.must('GET', `/1.0/instances/px-${name}/state`)) as State;
    const all = Object.values(network ?? {}).flatMap(({ addresses }) => addresses);
    const found = all.find(({ family, scope }) => family === 'inet' && scope === 'global');
    if (found !== undefined) return found.address;
    await sleep(20);
  }
  throw new Error(`${name} got no address`);
}

async function writeRootKey({ project, pixels }: World, name: string): Promise<void> {
  const content = fs.readFileSync(`${pixels.ssh.paths.privateKey}.pub`, 'utf8');
  await write(project, name, '/root/.ssh', { type: 'directory', mode: '0700', content: '' });
  await write(project, name, '/root/.ssh/authorized_keys', { type: 'file', mode: '0600', content });
}

function write(
  { socket: socketPath, project }: TestProject,
  name: string,
  path: string,
  { type, mode, content }: { type: string; mode: string; content: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/octet-stream', 'X-Incus-type': type, 'X-Incus-mode': mode };
    const target = `/1.0/instances/px-${name}/files?path=${path}&project=${project}`;
    const request = http.request({ socketPath, method: 'POST', path: target, headers }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`${target}: ${String(answer.statusCode)}`));
      answer.resume().on('end', resolve).on('error', reject);
    });
    request.on('error', reject).end(content);
  });
}
