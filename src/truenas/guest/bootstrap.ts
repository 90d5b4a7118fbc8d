import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { cancelled, PixelsError } from '../../sandbox/errors';
import type { Log } from '../../sandbox/log';
import type { SandboxName } from '../../sandbox/name';
import type { Shell } from '../api';
import { EarlyEndError, skipPast } from './marker';
import script from './mux.pl';

/** What can be run as a shell in a sandbox: the word, or, where the server takes one, the line that is else typed into it. */
export interface ShellCommand {
  readonly word: '/bin/sh';
  readonly line: string;
}

/** A shell, and which of the two it runs: the word, if it does not say. */
export interface StartedShell extends Shell {
  readonly runsLine?: boolean;
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
  const line = beginning(random);
  const { stream, runsLine = false, explain } = await open(name, { word: '/bin/sh', line }, signal);
  stream.on('error', () => undefined); // its end is enough
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
  const giveUp = (): void => void stream.destroy();
  limit.addEventListener('abort', giveUp);
  try {
    if (limit.aborted) throw cancelled();
    if (!runsLine) stream.write(`${line}\n`);
    if ((await skipPast(stream, [`${random}+`, `${random}-`])) === `${random}+`) {
      stream.cork(); // together with the first command
      process.nextTick(() => stream.uncork());
      stream.write(script);
      return stream;
    }
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

/**
 * What a person could type into a shell, in a line: it must be shorter than 4096 bytes while the terminal is still a person's.
 * Says the random word once the terminal is raw, then reads mux.pl: when that comes, perl is there already. The word is
 * in halves here, so that an echo is not taken for it.
 */
function beginning(random: string): string {
  const halves = `${random.slice(0, 16)} ${random.slice(16)}`;
  const begin = BEGIN.replaceAll('SIZE', String(Buffer.byteLength(script)));
  return `command -v perl >/dev/null || { printf %s%s- ${halves}; exit; }; exec perl -e '${begin}' ${halves}`;
}

/** `stty raw -echo` without another process: TCGETS and TCSETS of <asm-generic/ioctls.h>. */
const BEGIN = [
  'my $mode = "\\0" x 60',
  'ioctl STDIN, 0x5401, $mode',
  'ioctl STDIN, 0x5402, pack("L4", 0, 0, unpack("x8 L", $mode), 0) . substr $mode, 16',
  'syswrite STDOUT, "$ARGV[0]$ARGV[1]+"',
  'my $script = ""',
  'sysread STDIN, $script, SIZE - length $script, length $script or exit while length $script < SIZE',
  'eval $script; die $@',
].join('; ');
