import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Place } from './place';

export interface Ended {
  /** The signal's name when one ended it. */
  readonly exit: number | string | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

const CLI = path.resolve(import.meta.dirname, '../../dist/cli.js');

/** The built `pixels` command as a process of its own, with a home directory of its own, on a test's server. */
export class PixelsCommand {
  readonly home = mkdtempSync(path.join(tmpdir(), 'pixels-home-'));
  readonly env: NodeJS.ProcessEnv;

  constructor({ image, ...server }: { readonly image: string } & ({ readonly place: Place } | ProjectOfIncus)) {
    if (!existsSync(CLI)) throw new Error(`${CLI} is not there: "npm run build" makes it.`);
    // The run's mark stays: what a test leaves behind is ended by it.
    const others = Object.entries(process.env).filter(
      ([name]) => !/^(PIXELS_(?!TEST_RUN$)|XDG_|INCUS_|NODE_)/.test(name),
    );
    this.env = {
      ...Object.fromEntries(others),
      HOME: this.home,
      ...placeVariables('place' in server ? server.place : { kind: 'incus', ...server }),
      PIXELS_DEFAULTS_IMAGE: image,
      PIXELS_PROVISION_DEVTOOLS: 'false', // a test that wants a recipe names it
    };
  }

  /** Runs it to its end. Its standard input is `input` and then closed. */
  async run(args: readonly string[], { input = '' }: { input?: string | Buffer } = {}): Promise<Ended> {
    const child = this.start(args);
    child.stdin?.on('error', () => undefined); // it may end without reading everything
    child.stdin?.end(input);
    return endOf(child);
  }

  /** {@link run}, and throws unless it exits with 0. Returns what it printed. */
  async must(...args: string[]): Promise<string> {
    const { exit, stdout, stderr } = await this.run(args);
    if (exit !== 0) throw new Error(`pixels ${args.join(' ')}: ${String(exit)} ${stderr}`);
    return stdout.toString();
  }

  /** {@link must} with --json, parsed. */
  async json(...args: string[]): Promise<unknown> {
    return JSON.parse(await this.must(...args, '--json'));
  }

  start(args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    return spawn(process.execPath, [CLI, ...args], { env: this.env, stdio: 'pipe', ...options });
  }

  /** Runs another program, `ssh` or a shell, with the same home directory and `pixels` as `$PIXELS`. */
  async program(file: string, ...args: string[]): Promise<Ended> {
    const env = { ...this.env, PIXELS: `${process.execPath} ${CLI}` };
    const child = spawn(file, args, { env, stdio: 'pipe' });
    child.stdin.end();
    return endOf(child);
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}

interface ProjectOfIncus {
  readonly socket: string;
  readonly project: string;
}

/** Where its server is, as the command finds it in its environment. */
function placeVariables(place: Place): NodeJS.ProcessEnv {
  if (place.kind === 'incus') return { PIXELS_INCUS_SOCKET: place.socket, PIXELS_INCUS_PROJECT: place.project };
  const { host, port, username, apiKey, trust } = place.target;
  return {
    PIXELS_BACKEND: 'truenas',
    PIXELS_TRUENAS_HOST: host,
    PIXELS_TRUENAS_PORT: String(port),
    PIXELS_TRUENAS_USERNAME: username,
    PIXELS_TRUENAS_API_KEY: apiKey,
    ...(trust.kind === 'pin' ? { PIXELS_TRUENAS_FINGERPRINT: trust.fingerprint256 } : {}),
  };
}

/** Everything that a process says until it ends. */
export async function endOf(child: ChildProcess): Promise<Ended> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  const exit = await new Promise<number | string | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal ?? code));
  });
  return { exit, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
}
