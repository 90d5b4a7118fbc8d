import { isKind, PixelsError } from '../sandbox/errors';
import type { ExecSession, SandboxHost } from '../sandbox/host';
import { isUnderWay } from '../sandbox/mark';
import type { SandboxName } from '../sandbox/name';
import serveSshd from './serveSshd.sh';

/** A start, or somebody else's restore, may take this long before we give up. */
const LIMIT_MS = 60_000;
const RETRY_MS = 200;

/** Starts a stopped sandbox, under its egress policy. */
export type StartSandbox = (host: SandboxHost, name: SandboxName, signal: AbortSignal) => Promise<void>;

export interface SshdOptions {
  readonly start: StartSandbox;
  /** Names of variables that the client may bring along, besides those that the sandbox's own sshd accepts. */
  readonly acceptEnv?: readonly string[];
}

/**
 * An SSH server in the sandbox that talks on the session's streams. A stopped sandbox is started first. For one that
 * runs, nothing is asked beforehand: one exec is all.
 * @param signal gives up the attempt. It does not end a session that is open: sshd has to be given time for that.
 * @throws PixelsError what {@link SandboxHost.exec} and start throw; `wrong-state` after an interrupted use case.
 */
export async function openSshdSession(
  host: SandboxHost,
  name: SandboxName,
  { start, acceptEnv = [] }: SshdOptions,
  signal?: AbortSignal,
): Promise<ExecSession> {
  const opening = new AbortController();
  const giveUp = () => opening.abort();
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    const command = ['sh', '-c', serveSshd, 'pixels-sshd', ...acceptEnv];
    return await openOrStart(host, name, { command, start }, opening.signal);
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}

async function openOrStart(
  host: SandboxHost,
  name: SandboxName,
  { command, start }: { readonly command: readonly string[]; readonly start: StartSandbox },
  signal: AbortSignal,
): Promise<ExecSession> {
  const deadline = Date.now() + LIMIT_MS;
  for (;;) {
    try {
      return await host.exec(name, { command }, signal);
    } catch (error) {
      if (!isKind(error, 'wrong-state', 'busy') || Date.now() > deadline) throw error;
    }
    await startIfAllowed(host, name, { start, deadline }, signal);
  }
}

/** Between the steps of a restore the sandbox is stopped too; starting it then would make the restore fail. */
async function startIfAllowed(
  host: SandboxHost,
  name: SandboxName,
  { start, deadline }: { readonly start: StartSandbox; readonly deadline: number },
  signal: AbortSignal,
): Promise<void> {
  const { mark } = await host.get(name, signal);
  if (mark !== undefined && !isUnderWay(mark)) {
    throw new PixelsError('wrong-state', `A ${mark.action} of ${name} was interrupted.`, {
      hint: `"pixels start ${name}" finishes it.`,
    });
  }
  try {
    if (mark === undefined) {
      await start(host, name, signal);
      return;
    }
  } catch (error) {
    // Another login starts it at this moment.
    if (!isKind(error, 'busy') || Date.now() > deadline) throw error;
  }
  await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
}
