import type * as vscode from 'vscode';
import type { Pixels } from '../../app/pixels';
import { causeChain } from '../../sandbox/errors';
import { decide, decision } from '../decisions';
import { DisposableStore } from '../disposableStore';
import type { Face } from '../face';

/** One use case changes a sandbox several times; the files are written once. */
const QUIET_MS = 300;

/** What there is to write without a sandbox. */
const NOTHING = '[]';

/** Writes ~/.ssh/pixels for all sandboxes now, because a person wants to use it. */
export async function writeSshFiles(face: Pick<Face, 'memory'>, pixels: Pixels): Promise<void> {
  await decide(face.memory, 'ssh.files', undefined);
  await pixels.syncSsh(await pixels.host.list());
}

/**
 * Keeps ~/.ssh/pixels as the live inventory is, so that `ssh web.pixels` works in every terminal. Writes nothing before
 * there is a sandbox with a login, and nothing after a person removed it.
 */
export class SshFiles implements vscode.Disposable {
  private readonly store = new DisposableStore();
  private timer: NodeJS.Timeout | undefined;
  private written = NOTHING;

  constructor(private readonly face: Pick<Face, 'live' | 'current' | 'memory' | 'log'>) {
    this.store.add(face.live.onDidChange(() => this.writeSoon()));
    // Another configuration may let ssh bring other variables along.
    this.store.add(face.current.onDidChange(() => (this.written = this.written === NOTHING ? NOTHING : '')));
    this.store.add({ dispose: () => clearTimeout(this.timer) });
  }

  dispose(): void {
    this.store.dispose();
  }

  private writeSoon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.write(), QUIET_MS);
  }

  private async write(): Promise<void> {
    const { live, current, memory, log } = this.face;
    if (live.state.kind !== 'ready' || decision(memory, 'ssh.files') === 'removed') return;
    const sandboxes = live.value?.sandboxes ?? [];
    const entries = sandboxes
      .filter(({ state }) => state.sshUser !== undefined)
      .map(({ name, state: { sshUser, hostKey }, addresses }) => [name, sshUser, hostKey, addresses]);
    const signature = JSON.stringify(entries);
    if (signature === this.written) return;
    try {
      await current.use((pixels) => pixels.syncSsh(sandboxes));
      this.written = signature;
    } catch (error) {
      log.warn(`Could not write the SSH files: ${causeChain(error)}`);
    }
  }
}
