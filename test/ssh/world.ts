import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { TUNNEL_KEY_VARIABLE } from '../../src/app/trueNas';
import { outputOf } from '../../src/sandbox/exec';
import { parseName, type SandboxName } from '../../src/sandbox/name';
import { SshIntegration, type HostEntry } from '../../src/ssh';
import type { Place } from '../support/place';
import { incus, type Server } from '../support/servers';
import { makeTestProject, type TestProject } from '../support/testProject';
import setUp from './setUpSandbox.sh';

/** The sandbox that there is. */
export const BOX = parseName('sshbox');

/**
 * What these tests need around them: a server of their own on the private daemon, a sandbox prepared by hand (so that only
 * the SSH side is under test), a home directory, and the tunnel to that server as it is shipped.
 */
export class World {
  readonly home = fs.mkdtempSync(path.join(os.tmpdir(), 'pixels-ssh-'));
  readonly ssh: SshIntegration;
  readonly hostKeys = new Map<string, string>();
  /** How the tunnel finds the server. */
  readonly target: Readonly<Record<string, unknown>>;
  /** What an ssh finds in its environment beside this process's. */
  private readonly env: NodeJS.ProcessEnv;

  private constructor(
    readonly project: TestProject,
    private readonly server: Server,
  ) {
    const { target, env } = tunnelTo(server.place);
    this.target = target;
    this.env = env;
    this.ssh = new SshIntegration({ home: this.home, build: path.resolve('dist') });
  }

  static async open(openServer: (project: TestProject) => Promise<Server> = incus): Promise<World> {
    const project = await makeTestProject('pixels-ssh');
    const world = new World(project, await openServer(project));
    await world.make(BOX);
    return world;
  }

  async close(): Promise<void> {
    await this.server.close();
    await this.project.remove();
    fs.rmSync(this.home, { recursive: true, force: true });
  }

  async setState(name: string, action: 'start' | 'stop'): Promise<void> {
    await this.project.raw.must('PUT', `/1.0/instances/px-${name}/state`, { action, force: true, timeout: 30 });
  }

  async status(name: string): Promise<string> {
    return ((await this.project.raw.must('GET', `/1.0/instances/px-${name}`)) as { status: string }).status;
  }

  /** Runs a command as root, without SSH and behind the server's back. */
  async exec(name: string, command: string[]): Promise<void> {
    const body = { command, 'record-output': false, 'wait-for-websocket': false };
    const done = await this.project.raw.must('POST', `/1.0/instances/px-${name}/exec`, body);
    const { return: exitCode } = done as { return: number };
    if (exitCode !== 0) throw new Error(`${command.join(' ')} in ${name}: ${exitCode}`);
  }

  async address(name: string): Promise<string> {
    interface State {
      network?: Record<string, { addresses: { family: string; address: string; scope: string }[] }>;
    }
    for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
      const state = (await this.project.raw.must('GET', `/1.0/instances/px-${name}/state`)) as State;
      const found = state.network?.['eth0']?.addresses.find(
        ({ family, scope }) => family === 'inet' && scope === 'global',
      );
      if (found !== undefined) return found.address;
      await sleep(100);
    }
    throw new Error(`${name} got no address`);
  }

  entry(name: string, more: Partial<HostEntry> = {}): HostEntry {
    return { name: name as SandboxName, user: 'pixel', hostKey: this.hostKeys.get(name), transport: 'tunnel', ...more };
  }

  /** Makes the SSH files list these and nothing else. */
  async list(...entries: HostEntry[]): Promise<void> {
    await this.ssh.sync(entries, this.target);
  }

  /** `ssh` with our own file, to be given the rest of its command line. */
  start(...args: string[]): ChildProcess {
    return spawn('ssh', ['-F', this.ssh.paths.config, ...args], {
      stdio: 'pipe',
      env: { ...process.env, ...this.env },
    });
  }

  /** {@link start}, until it ends. */
  async login(...args: string[]): Promise<Outcome> {
    const child = this.start(...args);
    child.stdin?.end();
    return outcome(child);
  }

  /** Makes a sandbox that the key opens, and reads its host key. */
  private async make(name: SandboxName): Promise<void> {
    const { publicKey } = await this.ssh.ensureKeyPair();
    const host = this.server.connect();
    try {
      await host.create({ name, image: this.server.image, limits: {}, placement: {}, state: {} });
      await host.start(name);
      const command = ['sh', '-c', setUp, 'set-up', publicKey];
      const { exitCode, stdout, stderr } = await outputOf(host, name, { command });
      if (exitCode !== 0) throw new Error(`${name} could not be set up: ${stderr}`);
      this.hostKeys.set(name, stdout.trim());
    } finally {
      host.close();
    }
  }
}

/** What is in the tunnel.json of a server, and what its tunnel finds in its environment. */
function tunnelTo(place: Place): { target: Record<string, unknown>; env: NodeJS.ProcessEnv } {
  if (place.kind === 'incus') {
    const { socket, project } = place;
    return { target: { kind: 'unix', socket, project }, env: {} };
  }
  const { apiKey, ...target } = place.target;
  return { target: { kind: 'truenas', ...target }, env: { [TUNNEL_KEY_VARIABLE]: apiKey } };
}

export interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a program printed, and its exit code. */
export async function outcome(child: ChildProcess): Promise<Outcome> {
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout!), text(child.stderr!), ended]);
  return { exitCode, stdout, stderr };
}
