import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';

/** How to reach it. */
export interface NasFacts {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly apiKey: string;
  /** PEM. */
  readonly certificate: string;
  readonly fingerprint: string;
}

/** What the process of the server is asked. */
export type NasQuestion = 'calls' | 'close';

/** What it says: the facts when it listens, and methods that were called since the last question. */
export type NasAnswer = { readonly facts: NasFacts } | { readonly calls: readonly string[] };

/** The TrueNAS test server in a process of its own. */
export class Nas {
  private constructor(
    private readonly process: ChildProcess,
    readonly facts: NasFacts,
  ) {}

  /** @param directory where nasProcess.mjs has been built. */
  static async start(directory: string, place: { socket: string; project: string }): Promise<Nas> {
    const child = fork(path.join(directory, 'nasProcess.mjs'), [JSON.stringify(place)]);
    const answer = await next(child);
    if (!('facts' in answer)) throw new Error('The test server said something else than where it is');
    return new Nas(child, answer.facts);
  }

  /** The methods that `work` calls, in the order in which their messages arrive. */
  async callsOf(work: () => Promise<unknown>): Promise<readonly string[]> {
    await this.calls();
    await work();
    return this.calls();
  }

  async close(): Promise<void> {
    const ended = new Promise<number | null>((resolve) => this.process.once('exit', resolve));
    this.process.send('close' satisfies NasQuestion);
    const code = await ended;
    if (code !== 0) throw new Error(`The test server ended with ${String(code)}`);
  }

  private async calls(): Promise<readonly string[]> {
    this.process.send('calls' satisfies NasQuestion);
    const answer = await next(this.process);
    return 'calls' in answer ? answer.calls : [];
  }
}

function next(child: ChildProcess): Promise<NasAnswer> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`The test server ended with ${String(code)}`));
    child.once('exit', ended);
    child.once('message', (answer) => {
      child.off('exit', ended);
      resolve(answer as NasAnswer);
    });
  });
}
