import { PixelsError } from '../../sandbox/errors';
import type { SandboxName } from '../../sandbox/name';
import type { SandboxState, StateChange } from '../../sandbox/sandbox';
import type { TrueNasApi } from '../api';
import { changed, readMeta, signed, withMeta, type Meta } from '../meta';
import { refuseWhileCopied } from './completeCopy';
import type { Instances } from './instances';
import { pause } from './pause';

/**
 * A writer that was overwritten by one that had read before shows after this long, unless that one took longer from its
 * read to its write. On a server that is slow (this write took long too) it is waited for longer.
 */
const LEAST_SETTLE_MS = 250;
const MOST_SETTLE_MS = 3_000;

/** A writer that loses this often against others is not in a race but against something that writes without end. */
const MOST_TRIES = 20;
const LONGEST_PAUSE_MS = 300;

/**
 * Writes what Pixels keeps with its instances. TrueNAS replaces the environment whole and has nothing like an ETag, so
 * what a change can rely on is this:
 *
 * - Within one `MetaWriter`, writes to one sandbox come one after another: none is lost.
 * - Between processes, every write is read back after a pause. One that is neither there nor in the history of what is
 *   there was overwritten by somebody who had not seen it; then `change` runs again on what is there now. So no change
 *   of Pixels is lost, and of two that exclude each other (two claims) the later sees the earlier, as long as nobody
 *   takes longer from reading to having written than the other's pause: 250 ms, or twice what its own write took, up to
 *   3 s.
 * - Not guaranteed: a process or a server that stalls longer than that between its read and its write can overwrite a
 *   change that was confirmed. Nor can anything be done about an environment that was edited in the web interface
 *   meanwhile, or about `virt.instance.start`, which also writes back settings that it has read
 *   (MW:plugins/virt/instance.py, `set_account_idmaps`).
 */
export class MetaWriter {
  private readonly queues = new Map<SandboxName, Promise<unknown>>();

  constructor(
    private readonly api: TrueNasApi,
    private readonly instances: Instances,
  ) {}

  /** See `SandboxHost.updateState`. @throws also `busy` while it is a copy that is being made. */
  async updateState(
    name: SandboxName,
    change: (state: SandboxState) => StateChange,
    signal?: AbortSignal,
  ): Promise<void> {
    const apply = (meta: Meta): Meta => {
      const state = changed(meta.state, change(meta.state));
      return { ...meta, state, devices: state.mark === undefined ? undefined : meta.devices };
    };
    await this.update(name, apply, signal);
  }

  /** Applies `change`, perhaps several times; nothing is written when it changes nothing. What it throws is thrown. */
  update(name: SandboxName, change: (meta: Meta) => Meta, signal?: AbortSignal): Promise<void> {
    return this.inTurn(name, () => this.write(name, change, signal));
  }

  /** Does something else that writes to the instance between two writes of this one. */
  inTurn<T>(name: SandboxName, work: () => Promise<T>): Promise<T> {
    const before = this.queues.get(name) ?? Promise.resolve();
    const own = before.then(work);
    const settled = own
      .catch(() => undefined)
      .then(() => {
        if (this.queues.get(name) === settled) this.queues.delete(name);
      });
    this.queues.set(name, settled);
    return own;
  }

  private async write(name: SandboxName, change: (meta: Meta) => Meta, signal?: AbortSignal): Promise<void> {
    let begun = Date.now();
    let instance = await this.instances.read(name, signal);
    // Incus writes every change into a file in the instance's dataset, too.
    await refuseWhileCopied(this.api, name, instance);
    for (let tries = 1; tries <= MOST_TRIES; tries++) {
      const { id, environment } = instance;
      const meta = readMeta(environment);
      const wanted = change(meta);
      if (isSame(wanted, meta)) return;
      const { meta: next, write } = signed(wanted);
      await this.instances.replaceEnvironment(name, id, withMeta(environment, next), signal);
      await pause(Math.min(Math.max(LEAST_SETTLE_MS, 2 * (Date.now() - begun)), MOST_SETTLE_MS), signal);
      instance = await this.instances.read(name, signal);
      if (readMeta(instance.environment).writes.includes(write)) return;
      await pause(Math.random() * LONGEST_PAUSE_MS, signal);
      begun = Date.now();
      instance = await this.instances.read(name, signal);
    }
    throw new PixelsError('busy', `${name} is being changed by others all the time.`, { hint: 'Try again.' });
  }
}

function isSame(one: Meta, other: Meta): boolean {
  const text = (meta: Meta): string => JSON.stringify(Object.entries(withMeta({}, meta)));
  return text({ ...one, state: sorted(one.state) }) === text({ ...other, state: sorted(other.state) });
}

function sorted(state: SandboxState): SandboxState {
  return Object.fromEntries(Object.entries(state).sort(([a], [b]) => (a < b ? -1 : 1)));
}
