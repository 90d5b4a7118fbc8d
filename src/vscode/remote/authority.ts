import type { SandboxName } from '../../sandbox/name';

const HOST = /^(?:[^@]*@)?([a-z][a-z0-9-]*)\.pixels$/;

/**
 * The sandbox that a remote authority means: `ssh-remote+web.pixels`, also with a user before it or in the hex form of
 * Remote-SSH (`{"hostName":"web.pixels"}`). Undefined for every other host. It runs in every SSH window, so it needs
 * nothing of the rest; whether there is such a sandbox is found out later.
 */
export function sandboxOfAuthority(authority: string | undefined): SandboxName | undefined {
  const destination = /^ssh-remote\+(.+)$/.exec(authority ?? '')?.[1];
  return destination === undefined ? undefined : (HOST.exec(hostOf(destination))?.[1] as SandboxName | undefined);
}

function hostOf(destination: string): string {
  if (!/^7b([0-9a-f]{2})+$/.test(destination)) return destination;
  try {
    const { hostName } = JSON.parse(Buffer.from(destination, 'hex').toString()) as { hostName?: unknown };
    return typeof hostName === 'string' ? hostName : '';
  } catch {
    return '';
  }
}
