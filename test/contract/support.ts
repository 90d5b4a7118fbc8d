import { expect } from 'vitest';
import type { ErrorKind, PixelsError } from '../../src/sandbox/errors';
import { outputOf } from '../../src/sandbox/exec';
import type { SandboxHost } from '../../src/sandbox/host';
import { parseName, type SandboxName } from '../../src/sandbox/name';
import type { Limits, SandboxSpec, SandboxState } from '../../src/sandbox/sandbox';
import type { Subject } from './sandboxHost.contract';

export const FORCE = { force: true, timeoutMs: 10_000 };

/** These limits, as far as the server has such. */
export function limitsFor({ lacks }: Subject, cpu: number, memoryMiB: number): Limits {
  return { cpu, memoryMiB: lacks.memoryLimit === undefined ? memoryMiB : undefined };
}

/** The error that an action ends with, which has to be of that kind. */
export async function failure(action: Promise<unknown>, kind: ErrorKind): Promise<PixelsError> {
  const error: unknown = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: 'PixelsError', kind });
  return error as PixelsError;
}

/** A sandbox for the length of one test: made from the image, handed over, and removed whatever happens. */
export async function withSandbox<T>(
  { host, image }: Subject,
  typed: string,
  use: (name: SandboxName) => Promise<T>,
  spec: Partial<SandboxSpec> & { state?: SandboxState } = {},
): Promise<T> {
  const name = parseName(typed);
  try {
    await host.create({ name, image, limits: {}, placement: {}, state: {}, ...spec });
    return await use(name);
  } finally {
    await remove(host, name);
  }
}

/** Removes a sandbox that may run, or not be there. */
export async function remove(host: SandboxHost, name: SandboxName): Promise<void> {
  await host.stop(name, FORCE).catch(() => undefined);
  await host.destroy(name).catch(() => undefined);
}

/** Whether there is a sandbox of this name. */
export async function exists(host: SandboxHost, name: SandboxName): Promise<boolean> {
  return (await host.list()).some((sandbox) => sandbox.name === name);
}

/** What a shell script prints; it has to succeed. */
export async function shell(host: SandboxHost, name: SandboxName, script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await outputOf(host, name, { command: ['sh', '-c', script] });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return stdout;
}

/** What a shell script prints in a stopped sandbox, which runs for that. */
export async function inside(host: SandboxHost, name: SandboxName, script: string): Promise<string> {
  await host.start(name);
  try {
    return await shell(host, name, script);
  } finally {
    await host.stop(name, FORCE);
  }
}

/** Asks again and again until it holds, for at most `limitMs`. */
export async function eventually<T>(limitMs: number, ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new Error(`Not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
