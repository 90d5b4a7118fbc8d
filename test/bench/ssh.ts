import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Pixels } from '../../src/app/pixels';
import type { SandboxName } from '../../src/sandbox/name';

/** Runs a program to its end; throws unless it exits with 0. */
export async function must(file: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<void> {
  await promisify(execFile)(file, args, { ...(env ? { env } : {}), maxBuffer: 64 * 1024 * 1024 });
}

/** One login through the files that Pixels wrote. */
export function login({ ssh }: Pixels, name: SandboxName, env?: NodeJS.ProcessEnv): Promise<void> {
  return must('ssh', ['-o', 'BatchMode=yes', ...ssh.sshArguments(name), 'true'], env);
}

/** Arguments for `ssh` that go to an address with the same key, and ask nothing about its host key. */
export function directOptions({ ssh }: Pixels): string[] {
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR'];
  const quick = ['ConnectTimeout=1', 'IdentitiesOnly=yes'];
  return ['-F', 'none', '-i', ssh.paths.privateKey, ...[...options, ...quick].flatMap((option) => ['-o', option])];
}

/** One login to an address with {@link directOptions}, tried until it is let in. */
export async function directLogin(direct: readonly string[], user: string, address: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const error = await must('ssh', [...direct, `${user}@${address}`, 'true']).catch((thrown: unknown) => thrown);
    if (error === undefined) return;
    if (Date.now() > deadline) throw error as Error;
    await sleep(10);
  }
}
