import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';

/** A network namespace of a test's own, whose processes end with it. Needs root. */
export class Namespace {
  private readonly children: ChildProcess[] = [];

  constructor(readonly name: string) {
    this.remove(); // an earlier run may have been killed
    execFileSync('ip', ['netns', 'add', name]);
    this.ip('link', 'set', 'lo', 'up');
  }

  ip(...args: string[]): void {
    execFileSync('ip', ['-n', this.name, ...args]);
  }

  /** What programs in it find as /etc/resolv.conf. */
  setNameServer(address: string): void {
    mkdirSync(`/etc/netns/${this.name}`, { recursive: true });
    writeFileSync(`/etc/netns/${this.name}/resolv.conf`, `nameserver ${address}\noptions timeout:2 attempts:1\n`);
  }

  /** Runs a program to its end and returns what it printed. Throws with what it said when it fails. */
  run(command: readonly string[], input = ''): string {
    const options = { input, encoding: 'utf8', stdio: 'pipe' } as const;
    return execFileSync('ip', ['netns', 'exec', this.name, ...command], options);
  }

  /** Starts a program, which is there when it has printed `ready` (on either output). */
  async start(command: readonly string[], ready: RegExp): Promise<ChildProcess> {
    const child = spawn('ip', ['netns', 'exec', this.name, ...command], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.children.push(child);
    let said = '';
    await new Promise<void>((resolve, reject) => {
      const listen = (chunk: Buffer): void => {
        said += chunk.toString();
        if (ready.test(said)) resolve();
      };
      child.stdout.on('data', listen);
      child.stderr.on('data', listen);
      child.once('exit', () => reject(new Error(`${command[0] ?? ''} ended: ${said}`)));
    });
    return child;
  }

  async close(): Promise<void> {
    for (const child of this.children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    this.remove();
  }

  private remove(): void {
    rmSync(`/etc/netns/${this.name}`, { recursive: true, force: true });
    try {
      // Its interfaces stay for as long as anything runs in it.
      const left = execFileSync('ip', ['netns', 'pids', this.name], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      for (const pid of left.split('\n').filter(Boolean)) process.kill(Number(pid), 'SIGKILL');
      execFileSync('ip', ['netns', 'delete', this.name], { stdio: 'ignore' });
    } catch {
      // there was none
    }
  }
}

/** A cable between two namespaces. */
export function connect(one: Namespace, oneEnd: string, other: Namespace, otherEnd: string): void {
  one.ip('link', 'add', oneEnd, 'type', 'veth', 'peer', 'name', otherEnd, 'netns', other.name);
  one.ip('link', 'set', oneEnd, 'up');
  other.ip('link', 'set', otherEnd, 'up');
}
