import { randomBytes } from 'node:crypto';
import { PixelsError } from '../sandbox/errors';
import type { GuestFile } from '../sandbox/host';

/** What is done with files after they have been put in place. */
export interface Applying {
  /** A directory; who holds the file `lock` in it is the only one that changes the files. */
  readonly run: string;
  /** A shell command, to be the last one. */
  readonly command: string;
}

/** systemd mounts /run over what is put there in its first moments. This directory is the first that it makes there itself. */
const RUN_IS_THERE =
  'case $(readlink -f /sbin/init) in */systemd) tries=500; until [ -d /run/systemd/system ] || [ $((tries -= 1)) = 0 ]; do sleep 0.02; done ;; esac';

/** A shell script that puts the files in place, each at once, and then does what is to be done with them. To be run as root. */
export function applyScript(files: readonly GuestFile[], { run, command }: Applying): string {
  // Nothing in the files may end a here-document.
  const end = `END_${randomBytes(9).toString('hex')}`;
  const directories = new Set(files.map(({ path }) => path.slice(0, path.lastIndexOf('/'))));
  return [
    'set -eu',
    RUN_IS_THERE,
    'umask 022',
    `mkdir -p ${[...directories].join(' ')} ${run}`,
    `exec 9>${run}/lock; flock 9`, // what has ended there must not take the place of what comes now
    `rm -f ${files.at(-1)?.path ?? ''}`, // the seal, until all are there
    ...files.flatMap(({ path, content, mode }) => [
      `cat >${path}.new <<'${end}'\n${content}${end}`,
      `chmod ${mode.toString(8)} ${path}.new`,
      `if cmp -s ${path}.new ${path}; then rm -f ${path}.new; else mv -f ${path}.new ${path}; fi`,
    ]),
    'exec 9>&-',
    `exec ${command} </dev/null`,
    '',
  ].join('\n');
}

/**
 * The mark that such a script has printed when its last command has put a policy in force.
 * @param where begins the sentence when it has not: "Inside web".
 * @throws PixelsError `failed` with the last line of what went wrong.
 */
export function appliedMark(
  output: { readonly exitCode: number; readonly stdout: string; readonly stderr: string },
  where: string,
): string | undefined {
  const { exitCode, stdout, stderr } = output;
  if (exitCode === 0) return stdout.trim().split('\n').at(-1);
  const last = stderr.trim().split('\n').at(-1) ?? '';
  const reason = last === '' ? `it ended with code ${exitCode}` : last.replace(/^pixels: /, '');
  throw new PixelsError('failed', `${where}: ${reason.replace(/\.$/, '')}.`, {
    cause: new Error(`the script ended with ${exitCode}: ${stderr}${stdout}`),
  });
}
