import { randomBytes } from 'node:crypto';
import type { GuestFile } from '../../sandbox/host';
import { SCRIPT } from './units';

/** A shell script that puts the files in place, each at once, and then the policy in them in force. To be run as root. */
export function applyScript(files: readonly GuestFile[]): string {
  // Nothing in the files may end a here-document.
  const end = `END_${randomBytes(9).toString('hex')}`;
  const directories = new Set(files.map(({ path }) => path.slice(0, path.lastIndexOf('/'))));
  return [
    'set -eu',
    'umask 022',
    `mkdir -p ${[...directories].join(' ')} /run/pixels-egress`,
    'exec 9>/run/pixels-egress/lock; flock 9', // what has ended there must not take the place of what comes now
    `rm -f ${files.at(-1)?.path ?? ''}`, // the seal, until all are there
    ...files.flatMap(({ path, content, mode }) => [
      `cat >${path}.new <<'${end}'\n${content}${end}`,
      `chmod ${mode.toString(8)} ${path}.new`,
      `if cmp -s ${path}.new ${path}; then rm -f ${path}.new; else mv -f ${path}.new ${path}; fi`,
    ]),
    'exec 9>&-',
    `exec sh ${SCRIPT} apply </dev/null`,
    '',
  ].join('\n');
}
