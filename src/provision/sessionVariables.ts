import { randomBytes } from 'node:crypto';
import { PixelsError } from '../sandbox/errors';
import { outputOf } from '../sandbox/exec';
import type { SandboxHost } from '../sandbox/host';
import type { SandboxName } from '../sandbox/name';
import handOverScript from './handOver.sh';
import { lastWords } from './lastWords';

/** What a session is to have in its environment. The two have no name in common. */
export interface SessionEnvironment {
  /** What may be seen by everybody on the server. */
  readonly plain: Readonly<Record<string, string>>;
  readonly secret: Readonly<Record<string, string>>;
}

/** The same, as enter.sh gets it. */
export interface SessionVariables {
  /** For the request itself. Incus has it in the command line of a process on its machine, and shows it to who asks. */
  readonly env: Readonly<Record<string, string>>;
  /** Every name; they win over what /etc/environment in the sandbox says. */
  readonly names: readonly string[];
  /** Where the secret values wait in the sandbox, for a session that begins within two minutes; '' when there are none. */
  readonly handedOver: string;
}

export const NO_VARIABLES: SessionVariables = { env: {}, names: [], handedOver: '' };

/**
 * Hands the secret ones over to a running sandbox, over the standard input of a command of its own. Without any, nothing is asked.
 * @throws PixelsError `failed`, and what {@link SandboxHost.exec} throws.
 */
export async function sessionVariables(
  host: SandboxHost,
  name: SandboxName,
  { plain, secret }: SessionEnvironment,
  signal?: AbortSignal,
): Promise<SessionVariables> {
  const names = Object.keys({ ...plain, ...secret });
  const entries = Object.entries(secret);
  if (entries.length === 0) return { env: plain, names, handedOver: '' };
  const handedOver = randomBytes(16).toString('hex');
  const request = { command: ['sh', '-c', handOverScript, 'pixels', handedOver] };
  const lines = entries.map(([variable, value]) => `export ${variable}='${value.replaceAll("'", `'\\''`)}'\n`);
  const { exitCode, stderr } = await outputOf(host, name, request, signal, lines.join(''));
  if (exitCode !== 0) throw new PixelsError('failed', `Inside ${name}: ${lastWords(stderr, exitCode)}.`);
  return { env: plain, names, handedOver };
}
