import { PixelsError } from '../../sandbox/errors';

/** What is copied where on the NAS: ZFS only, nothing of Incus. */
export interface CopyOrder {
  /** Datasets of instances: `tank/.ix-virt/containers/px-a`. */
  readonly source: string;
  readonly target: string;
  /** The part after the `@`. A temporary one ({@link isTemporary}) is taken first, and removed afterwards. */
  readonly snapshot: string;
  /** A clone instead of a copy: instant, but the source's snapshot cannot go before the clone does. */
  readonly linked: boolean;
  /** The directory of the root filesystem in the dataset; on 26 it is the dataset itself. */
  readonly rootDirectory: 'rootfs' | '.';
}

/** A snapshot of the target that says that it is complete. */
export const COPIED = 'pixels-copied';

/** All snapshots that copies make for themselves, as a regular expression for the part after the `@`. */
export const OWN_SNAPSHOTS = 'pixels-cop(y-[0-9a-f]+|ied)';

const TEMPORARY_PREFIX = 'pixels-copy-';

/** Pools may have `:` and blanks in their names too; the latter are not for containers (MW:plugins/virt/global.py). */
const DATASET = /^[A-Za-z][A-Za-z0-9_.:-]*\/\.(ix-virt|truenas_containers)\/containers\/px-[a-z0-9-]+$/;
const SNAPSHOT = /^[A-Za-z0-9][A-Za-z0-9_.:-]*$/;

/** A snapshot for one copy, which is nobody's checkpoint. `id` is hexadecimal. */
export function temporarySnapshot(id: string): string {
  return TEMPORARY_PREFIX + id;
}

export function isTemporary(snapshot: string): boolean {
  return snapshot.startsWith(TEMPORARY_PREFIX);
}

/**
 * The command that copies, in one line of POSIX shell (TrueNAS takes newlines out of a cron job's command). It runs as
 * root on the NAS, and so it is made of nothing but fixed words and names that need no quoting. It can be run again
 * when it was interrupted.
 *
 * - The new dataset is not mounted where the NAS would mount it before it is complete. On 25.x it keeps what Incus gives
 *   its datasets: mountpoint=legacy, canmount=noauto. On 26 it is mounted below its parent's mountpoint then, as the
 *   datasets of containers always are.
 * - The machine-id is emptied before anything in the copy can run, on a mount that only root can enter. `find -P`
 *   follows no links, and only regular files are touched: whatever untrusted code has put into the source leads
 *   nowhere.
 *
 * @throws PixelsError `unsupported` for names that are not plain enough.
 */
export function copyCommand({ source, target, snapshot, linked, rootDirectory }: CopyOrder): string {
  for (const dataset of [source, target]) check(DATASET, dataset);
  check(SNAPSHOT, snapshot);
  const from = `${source}@${snapshot}`;
  const temporary = isTemporary(snapshot);
  return [
    'set -eu',
    'dir=',
    'leave() { if [ -n "$dir" ]; then umount "$dir" 2>/dev/null; rmdir "$dir"; dir=; fi; }',
    `finish() { code=$?; trap - EXIT; set +e; leave; ${temporary && !linked ? `zfs destroy ${from}; ` : ''}exit $code; }`,
    'trap finish EXIT',
    'trap "exit 143" HUP INT TERM',
    temporary
      ? `zfs list -H -o name ${from} >/dev/null 2>&1 || zfs snapshot ${from}`
      : `zfs list -H -o name ${from} >/dev/null`,
    `if zfs list -H -o name ${target} >/dev/null 2>&1; then zfs destroy -r ${target}; fi`,
    ...(linked
      ? [`zfs clone -o canmount=noauto -o mountpoint=legacy ${from} ${target}`]
      : [
          `zfs send ${from} | zfs receive -u -o canmount=noauto -o mountpoint=legacy ${target}`,
          `zfs destroy ${target}@${snapshot}`,
        ]),
    'dir=$(mktemp -d)',
    `mount -t zfs ${target} "$dir"`,
    ...forgetMachineId(rootDirectory === '.' ? '$dir' : `$dir/${rootDirectory}`),
    'leave',
    ...(rootDirectory === '.'
      ? [`zfs inherit mountpoint ${target}`, `zfs set canmount=on ${target}`, `zfs mount ${target}`]
      : []),
    `zfs snapshot ${target}@${COPIED}`,
  ].join('; ');
}

/** Removes the mark of a complete copy, where the API may not. @throws as {@link copyCommand}. */
export function forgetCopiedCommand(target: string): string {
  check(DATASET, target);
  return `zfs destroy ${target}@${COPIED}`;
}

/**
 * Both places that a machine-id is in; systemd takes an empty one's from the second. `find` is led to them step by
 * step, so that a link in between is not followed either.
 */
function forgetMachineId(root: string): string[] {
  const way = ['', '/etc', '/var', '/var/lib', '/var/lib/dbus'].map((part) => `! -path "${root}${part}"`).join(' ');
  return [
    `find -P "${root}" -path "${root}/etc/machine-id" -type f -exec truncate -s 0 {} + ` +
      `-o -path "${root}/var/lib/dbus/machine-id" -type f -exec rm -f {} + -o -type d ${way} -prune`,
  ];
}

function check(pattern: RegExp, name: string): void {
  if (pattern.test(name)) return;
  throw new PixelsError('unsupported', `Pixels cannot copy on TrueNAS what is named "${name}".`, {
    hint: 'Names of pools may have letters, digits, "_", ".", ":" and "-".',
  });
}
