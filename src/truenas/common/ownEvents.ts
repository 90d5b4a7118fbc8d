import type { Closable, HostEvent } from '../../sandbox/host';
import type { SandboxName } from '../../sandbox/name';

/**
 * What this process itself has done, for those who watch in it: the server has no event for a rollback, and those that
 * it has come before an instance has settled.
 */
export class OwnEvents {
  private readonly listeners = new Set<(event: HostEvent) => void>();

  listen(listener: (event: HostEvent) => void): Closable {
    this.listeners.add(listener);
    return { close: () => this.listeners.delete(listener) };
  }

  /** Does something to a sandbox and tells of it, also when it failed: nobody knows then how far it came. */
  async after<T>(
    name: SandboxName,
    kinds: readonly ('changed' | 'checkpoints-changed')[],
    action: Promise<T>,
  ): Promise<T> {
    try {
      return await action;
    } finally {
      for (const kind of kinds) for (const listener of this.listeners) listener({ kind, name });
    }
  }
}
