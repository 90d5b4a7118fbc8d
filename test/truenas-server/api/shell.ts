import type { ShellRequest, ShellStart } from '../host/shell';
import { Terminal } from '../incus/terminal';
import { CallError, ERRNO } from '../rpc/errors';
import type { Nas } from '../nas';

type Refusal = { readonly refusal: { readonly error: number; readonly reason: string } };

/** The shells that a NAS opens, without those of VMs and apps and without the one of the host, which would be a shell of this machine. */
export function openShell(nas: Nas, request: ShellRequest): Promise<ShellStart | Refusal> {
  return nas.profile === '26.0' ? inContainer(nas, request) : inInstance(nas, request);
}

const NO_SUDO =
  'WARNING: Your user does not have sudo privileges so /usr/bin/incus command will run\r\n' +
  'on your behalf. This might cause permission issues.\r\n\r\n';
const NO_PERMISSION =
  "Error: You don't have the needed permissions to talk to the incus daemon (socket path: /var/lib/incus/unix.socket)\r\n";
const SHELLS = ['/bin/bash', '/bin/zsh', '/bin/csh', '/bin/sh'];

/** 25.x: `incus exec ID COMMAND`, where COMMAND is one word (MW:apps/webshell_app.py). */
async function inInstance(nas: Nas, { token, options }: ShellRequest): Promise<ShellStart | Refusal> {
  const { virt_instance_id: id, command, use_console: useConsole } = options;
  const { user } = token.session;
  if (!user.webShell) return { refusal: { error: 207, reason: 'Invalid token' } };
  if (typeof id !== 'string' || useConsole) throw new CallError('Provided instance id is not valid');
  const { status } = await nas.instances.get(id);
  if (!user.sudo) return { text: NO_SUDO + NO_PERMISSION, terminal: null };
  if (status !== 'Running') return { text: 'Error: Instance is not running\r\n', terminal: null };
  const word = typeof command === 'string' && command !== '' ? command : await shellOf(nas, id);
  try {
    return { terminal: await Terminal.open(nas.instances.incus, id, [word]) };
  } catch (error) {
    return { text: `Error: ${error instanceof CallError ? error.reason : String(error)}\r\n`, terminal: null };
  }
}

/** 26: any script, which `/bin/sh -c` runs. */
async function inContainer(nas: Nas, { token, options }: ShellRequest): Promise<ShellStart | Refusal> {
  const { container_id: id, command } = options;
  const { session } = token;
  if (!session.user.webShell) return refusal('Web shell privilege not granted for this account');
  if (!session.hasRole(['CONTAINER_WRITE']))
    return refusal('Missing required role for container shell: CONTAINER_WRITE');
  if (typeof id !== 'number') throw new CallError('Provided container id is not valid');
  const { name, instance } = await nas.containers.get(id);
  if (instance.status !== 'Running') throw new CallError('Container must be running');
  const script = typeof command === 'string' && command !== '' ? command : BASH_OR_SH;
  return { terminal: await Terminal.open(nas.instances.incus, name, ['/bin/sh', '-c', script]) };
}

const BASH_OR_SH = 'if command -v bash >/dev/null 2>&1; then exec bash -l; else exec sh; fi';

function refusal(reason: string): Refusal {
  return { refusal: { error: ERRNO.EACCES, reason } };
}

async function shellOf(nas: Nas, id: string): Promise<string> {
  const rootfs = `${nas.files.containersBelow}/${id}/rootfs`;
  for (const shell of SHELLS) {
    const found = await nas.files.existing(rootfs + shell, { follow: false }).catch(() => null);
    if (found) return shell;
  }
  return '/bin/sh';
}
