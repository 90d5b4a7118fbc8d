import { PassThrough, Writable } from 'node:stream';
import type { ProcessLike } from '../../../src/cli/terminal';

export interface FakeProcess extends ProcessLike {
  readonly stdin: PassThrough & { readonly isTTY: boolean };
  /** What has been written so far. */
  readonly output: { stdout: string; stderr: string };
}

/** Streams that keep what is written to them; with `tty` they say that they are terminals. */
export function fakeProcess({ tty = false, env = {} }: { tty?: boolean; env?: NodeJS.ProcessEnv } = {}): FakeProcess {
  const output = { stdout: '', stderr: '' };
  const sink = (name: keyof typeof output) =>
    Object.assign(
      new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          output[name] += chunk.toString();
          done();
        },
      }),
      { isTTY: tty },
    );
  const stdin = Object.assign(new PassThrough(), { isTTY: tty });
  return { stdin, stdout: sink('stdout'), stderr: sink('stderr'), env, output };
}
