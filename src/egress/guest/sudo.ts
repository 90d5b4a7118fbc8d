import type { GuestFile } from '../../sandbox/host';
import script from './asRoot.sh';

const AS_ROOT = '/usr/local/lib/pixels/asRoot.sh';

/** sudo looks here first, and runs nothing else. */
const COMMANDS = '/usr/local/lib/pixels/sudo';

/** What can be called, and what it is to asRoot.sh: an agent types `sudo apt-get install`, as everywhere. */
const CALLED: Readonly<Record<string, string>> = {
  'safe-apt': 'safe-apt',
  'apt-get': 'safe-apt',
  apt: 'safe-apt',
  systemctl: 'systemctl',
  journalctl: 'journalctl',
  nft: 'nft',
};

/**
 * Of several rules that fit, the last one counts (sudoers(5)), and of the files in this directory the last in order of their names.
 * A user by number: it is made after the policy is in force. Without a rule in it the file changes nothing.
 */
const SUDOERS = '/etc/sudoers.d/zz-pixels-egress';

const RULES = `# While an egress policy is in force, the sandbox's user becomes root for these only.
Defaults:#1000 env_reset, !setenv, secure_path="${COMMANDS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#1000 ALL=(ALL:ALL) !ALL
#1000 ALL=(root:root) NOPASSWD: ${COMMANDS}/
`;

/** What the sandbox's user may do as root under a policy, as files. */
export function sudoFiles(isRestricted: boolean): readonly GuestFile[] {
  return [
    { path: AS_ROOT, content: script, mode: 0o755 },
    ...Object.entries(CALLED).map(([name, called]) => ({
      path: `${COMMANDS}/${name}`,
      content: `#!/bin/sh\nexec /bin/sh ${AS_ROOT} ${called} "$@"\n`,
      mode: 0o755,
    })),
    { path: SUDOERS, content: isRestricted ? RULES : '# No egress policy is in force.\n', mode: 0o440 },
  ];
}
