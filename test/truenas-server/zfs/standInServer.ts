import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { standInsOfSbin } from '../host/cron';
import type { ZfsPool } from './pool';
import { runZfs, usageError, type Outcome } from './zfsCommand';

const STAND_IN = path.join(import.meta.dirname, 'standIn.pl');

/** Answers the programs that stand in for `zfs` and `mount`, and writes them into a directory for a PATH. */
export class StandInServer {
  private readonly server = net.createServer({ allowHalfOpen: true }, (socket) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('end', () => {
      const outcome = this.answer(unpacked(Buffer.concat(chunks))).catch((error: unknown) =>
        usageError(`The test server failed: ${String(error)}`, 1),
      );
      void outcome.then(({ exitCode, stdout, stderr, run = [] }) =>
        socket.end(packed([String(exitCode), stdout, stderr, ...run])),
      );
    });
  });

  /** @param directory where the socket and the programs are made; short, since a socket's path may have 107 characters. */
  constructor(
    private readonly pool: ZfsPool,
    private readonly directory: string,
  ) {}

  async start(): Promise<string> {
    const socket = path.join(this.directory, 'zfs.socket');
    await new Promise<void>((resolve, reject) => this.server.once('error', reject).listen(socket, resolve));
    const programs = path.join(this.directory, 'bin');
    const sbin = standInsOfSbin(programs);
    mkdirSync(sbin, { recursive: true });
    for (const [file, program] of [
      [path.join(programs, 'zfs'), 'zfs'],
      [path.join(programs, 'mount'), 'mount'],
      [path.join(sbin, 'zfs'), 'zfs'],
    ] as const) {
      writeFileSync(file, `#!/bin/sh\nexec perl '${STAND_IN}' '${socket}' ${program} "$@"\n`);
      chmodSync(file, 0o755);
    }
    return programs;
  }

  close(): void {
    this.server.close();
  }

  private async answer([program, input = '', ...args]: readonly string[]): Promise<Outcome> {
    return program === 'zfs' ? runZfs(this.pool, args, input) : this.mount(args);
  }

  /** `mount -t zfs DATASET DIRECTORY`; any other mount is the machine's own. */
  private mount(args: readonly string[]): Outcome {
    const done = { stdout: '', stderr: '', exitCode: 0 };
    if (!args.includes('zfs')) return { ...done, run: ['/bin/mount', ...args] };
    const [option, type, dataset, directory, ...more] = args;
    if (option !== '-t' || type !== 'zfs' || dataset === undefined || directory === undefined || more.length > 0) {
      return usageError("mount: bad usage\nTry 'mount --help' for more information.");
    }
    if (!this.pool.has(dataset))
      return usageError(`filesystem '${dataset}' cannot be mounted, unable to open the dataset`, 1);
    return { ...done, run: ['/bin/mount', '--bind', this.pool.layout.mountedDirectory(dataset), directory] };
  }
}

/** Words with their lengths before them, as perl's `(N/a*)*` has them. */
function packed(words: readonly string[]): Buffer {
  return Buffer.concat(
    words.flatMap((word) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(word));
      return [length, Buffer.from(word)];
    }),
  );
}

function unpacked(bytes: Buffer): string[] {
  const words: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt32BE(at);
    words.push(bytes.toString('utf8', at + 4, end));
    at = end;
  }
  return words;
}
