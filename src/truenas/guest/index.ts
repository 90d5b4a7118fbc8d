import { cancelled } from '../../sandbox/errors';
import type { ExecRequest, ExecSession } from '../../sandbox/host';
import type { Log } from '../../sandbox/log';
import type { SandboxName } from '../../sandbox/name';
import type { OpenShell } from './bootstrap';
import { KeptShell } from './keptShell';

export type { OpenShell, ShellCommand, StartedShell } from './bootstrap';

/** Commands in sandboxes, over a server that offers only terminals. */
export interface GuestShells {
  /**
   * See `SandboxHost.exec`. The first command in a sandbox opens a shell there, which is kept for the next ones.
   * @throws PixelsError what {@link OpenShell} throws; `unsupported` where there is no perl; `unreachable`, `timeout` or
   * `protocol` when the shell does not do what shells do; `cancelled`.
   */
  exec(name: SandboxName, request: ExecRequest, signal?: AbortSignal): Promise<ExecSession>;

  /**
   * Ends the kept shell of a sandbox (it is about to stop), or of all, and the commands that run over it: their exit codes
   * reject with kind `unreachable`.
   */
  forget(name?: SandboxName): void;
}

/** {@link GuestShells} over what `open` opens: one shell for each sandbox, for all of its commands at once. */
export function guestShells(open: OpenShell, log: Log): GuestShells {
  const shells = new Map<SandboxName, KeptShell>();
  const keep = (name: SandboxName): KeptShell => {
    const shell = new KeptShell(open, name, log, () => {
      if (shells.get(name) === shell) shells.delete(name);
    });
    shells.set(name, shell);
    return shell;
  };
  return {
    async exec(name, request, signal) {
      if (signal?.aborted === true) throw cancelled();
      return (shells.get(name) ?? keep(name)).exec(request, signal);
    },
    forget(name) {
      const forgotten = name === undefined ? [...shells.values()] : [shells.get(name)];
      forgotten.forEach((shell) => shell?.close());
    },
  };
}
