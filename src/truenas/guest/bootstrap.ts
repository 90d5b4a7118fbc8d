import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { cancelled, PixelsError } from '../../sandbox/errors';
import type { Log } from '../../sandbox/log';
import type { SandboxName } from '../../sandbox/name';
import type { Shell } from '../api';
import { EarlyEndError, skipPast } from './marker';
import program from './mux.pl';

/** What can be run as a shell in a sandbox: the word, or, where the server takes one, the script. */
export interface ShellCommand {
  readonly word: '/bin/sh';
  readonly script: string;
}

/** A shell, and which of the two it runs: the word, if it does not say. The script saves a round trip, no more. */
export interface StartedShell extends Shell {
  readonly runsScript?: boolean;
  /** Rejects with why no command can be run; for a shell that ends early, whose server looks at all instances for it. */
  readonly explain?: () => Promise<void>;
}

/**
 * Opens a shell in a sandbox.
 * @param signal ends the opening; it is not aborted any more once there is a shell.
 * @throws PixelsError, which is handed on as it is: `wrong-state` when the sandbox does not run, `not-found` when there is
 * none. It, or `explain`, has to find that out, because a terminal only ends then.
 */
export type OpenShell = (name: SandboxName, command: ShellCommand, signal: AbortSignal) => Promise<StartedShell>;

/** Just after a start there may be no shell yet; it is tried again for so long. */
const RETRY_FOR_MS = 5_000;
const RETRY_AFTER_MS = 200;

/** From an open shell to our multiplexer's first word. It takes 30 ms; more when the NAS is busy. */
const LIMIT_MS = 15_000;

/**
 * Opens a terminal in a sandbox on which mux.pl has begun: from here on there are only frames.
 * @throws PixelsError what `open` throws; `unsupported` without perl; `unreachable` when there is no shell, also after
 * some time; `timeout`, `protocol` when the shell does not do what shells do; `cancelled`.
 */
export async function openMultiplexed(
  open: OpenShell,
  name: SandboxName,
  log: Log,
  signal: AbortSignal,
): Promise<Duplex> {
  const giveUpAt = Date.now() + RETRY_FOR_MS;
  for (;;) {
    try {
      return await attempt(open, name, signal);
    } catch (error) {
      if (!(error instanceof EarlyEndError)) throw error;
      log.debug(`The shell in ${name} ended before it began: ${error.message}`);
      if (Date.now() > giveUpAt) {
        throw new PixelsError('unreachable', `No shell can be opened in ${name}.`, { cause: error });
      }
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
    if (signal.aborted) throw cancelled();
  }
}

async function attempt(open: OpenShell, name: SandboxName, signal: AbortSignal): Promise<Duplex> {
  const random = randomBytes(16).toString('hex');
  const halves = `${random.slice(0, 16)} ${random.slice(16)}`;
  const script = beginning(halves, `exec perl -e ${quoted(program)} ${halves}`);
  const { stream, runsScript = false, explain } = await open(name, { word: '/bin/sh', script }, signal);
  stream.on('error', () => undefined); // its end is enough
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
  const giveUp = (): void => void stream.destroy();
  limit.addEventListener('abort', giveUp);
  try {
    if (limit.aborted) throw cancelled();
    const hasPerl = runsScript || (await typeProgram(stream, random, halves));
    if (hasPerl && (await skipPast(stream, [`${random}+`, `${random}-`])) === `${random}+`) return stream;
    throw new PixelsError('unsupported', `There is no perl in ${name}, and without it no command can be run there.`, {
      hint: 'Use an image of Debian or Ubuntu, or install the package perl.',
    });
  } catch (error) {
    stream.destroy();
    if (signal.aborted) throw cancelled();
    await explain?.();
    if (limit.aborted) throw new PixelsError('timeout', `The shell in ${name} does not answer.`, { cause: error });
    throw error;
  } finally {
    limit.removeEventListener('abort', giveUp);
  }
}

/** What the shell does first, and then; without perl it says so, and is not there any more. */
function beginning(halves: string, then: string): string {
  return `command -v perl >/dev/null || { printf '%s%s-' ${halves}; exit 1; }; stty raw -echo || exit 1; ${then}`;
}

/**
 * What a person could type into a shell. A line must be shorter than 4096 bytes while the terminal is still a person's, so
 * the program comes after it has become raw, for which the marker is waited for; perl starts meanwhile.
 * @returns whether there is perl.
 */
async function typeProgram(stream: Duplex, random: string, halves: string): Promise<boolean> {
  const size = Buffer.byteLength(program);
  const rest = `${size} - length $p`;
  const loader = `my $p = ""; while (${rest}) { sysread STDIN, $p, ${rest}, length $p or exit 1 } eval $p; die $@ if $@`;
  stream.write(`${beginning(halves, `printf '%s%s?' ${halves}; exec perl -e '${loader}' ${halves}`)}\n`);
  if ((await skipPast(stream, [`${random}?`, `${random}-`])) !== `${random}?`) return false;
  stream.write(program);
  return true;
}

/** As one word of a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}
