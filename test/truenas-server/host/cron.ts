import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';

export interface CronEntry {
  readonly id: number;
  readonly command: string;
  readonly user: string;
  readonly description: string;
  readonly enabled: boolean;
  /** Hidden, that is: what a true one says goes to /dev/null. */
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly schedule: Readonly<Record<string, string>>;
}

/** The NAS's cron jobs, which are in its database, and their commands, which really run, as root. */
export class Cron {
  private readonly entries = new Map<number, CronEntry>();
  private readonly running = new Set<ChildProcess>();
  private count = 0;

  /** @param programs a directory with stand-ins for the programs that only a NAS has. */
  constructor(private readonly programs: string) {}

  all(): CronEntry[] {
    return [...this.entries.values()];
  }

  get(id: number): CronEntry | undefined {
    return this.entries.get(id);
  }

  add(entry: Omit<CronEntry, 'id'>): CronEntry {
    const added = { ...entry, id: (this.count += 1) };
    this.entries.set(added.id, added);
    return added;
  }

  replace(entry: CronEntry): void {
    this.entries.set(entry.id, entry);
  }

  delete(id: number): void {
    this.entries.delete(id);
  }

  /** Runs a command to its end; both its outputs go to `write`. Resolves to its exit code. */
  run(command: string, write: (text: string) => void): Promise<number> {
    const child = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', IN_NAMESPACE, 'sh', command], {
      env: {
        HOME: '/root',
        PATH: `${this.programs}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
        STAND_INS: this.programs,
      },
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a group of its own, to end all of it
    });
    this.running.add(child);
    for (const output of [child.stdout, child.stderr]) output.setEncoding('utf8').on('data', write);
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        this.running.delete(child);
        resolve(code ?? 137);
      });
    });
  }

  /** Ends what runs, as the end of its service does to what the middleware has started. */
  killAll(): void {
    for (const { pid } of this.running) {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    }
  }
}

/** The command of `cronjob.run` (MW:plugins/cron.py `construct_cron_command`): on one line, % escaped as for a crontab. */
export function commandLine({ command, stdout, stderr }: CronEntry): string {
  const parts = [
    command.replaceAll('\n', '').replaceAll('%', '\\%'),
    stdout ? '> /dev/null' : '',
    stderr ? '2> /dev/null' : '',
  ];
  return parts.filter(Boolean).join(' ');
}

/** Where the programs of the stand-ins are put, under the real directory's name, so that /usr/sbin/zfs is found too. */
export function standInsOfSbin(programs: string): string {
  return path.join(programs, 'sbin');
}

// Mounts are the command's own, and gone with it.
const IN_NAMESPACE = `
mount -t overlay overlay -o "lowerdir=$STAND_INS/sbin:/usr/sbin" /usr/sbin 2>/dev/null
unset STAND_INS
exec sh -c "$1"
`;
