import { baseOf } from './base';
import { isKind, toPixelsError } from './errors';
import type { Closable } from './host';
import type { Inventory, InventoryChange } from './inventory';
import type { Log } from './log';
import type { SandboxName } from './name';
import type { Provisioner } from './provisioner';
import { readProvisionRecord, type ProvisionProgress } from './provisioning';
import type { Sandbox } from './sandbox';

/** The lines of a whole progress come in one burst; they are told as one change. */
const COALESCE_MS = 50;
/** A session that ended before the recipe did is begun again after a while, which grows from the first to the second of these. */
const SHORTEST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** A long step says nothing for a while, but neither does a connection that is dead: after so long another one is asked. */
const SILENT_MS = 120_000;

interface Session {
  readonly controller: AbortController;
  readonly begunMs: number;
  /** Until it counts as dead. */
  silence: NodeJS.Timeout | undefined;
}

/**
 * How far recipes are, as the sandboxes say themselves, from when this is made until it is closed. One session for each sandbox
 * whose recipe is being carried out, none for any other. Sessions come and go with what the inventory tells, which has to be
 * kept live meanwhile: they end when the sandbox stops or the server is lost, and begin again when it is back.
 */
export class ProvisionFollower implements Closable {
  private readonly sessions = new Map<SandboxName, Session>();
  private readonly pauses = new Map<SandboxName, NodeJS.Timeout>();
  /** How long the pause after the next session is, where one has ended too early before. */
  private readonly pauseMs = new Map<SandboxName, number>();
  private readonly latest = new Map<SandboxName, ProvisionProgress>();
  private readonly untold = new Set<SandboxName>();
  private readonly subscription: Closable;
  private timer: NodeJS.Timeout | undefined;

  /** @param onDidChange something new is known about this sandbox. */
  constructor(
    private readonly inventory: Pick<Inventory, 'state' | 'sandboxes' | 'sandbox' | 'onDidChange'>,
    private readonly provisioner: Pick<Provisioner, 'follow'>,
    private readonly log: Log,
    private readonly onDidChange: (name: SandboxName) => void,
  ) {
    this.subscription = inventory.onDidChange((change) => this.onInventory(change));
    this.onInventory({ kind: 'all' });
  }

  /** What a sandbox said last; undefined before it said anything. */
  of(name: SandboxName): ProvisionProgress | undefined {
    return this.latest.get(name);
  }

  close(): void {
    this.subscription.close();
    clearTimeout(this.timer);
    for (const name of new Set([...this.sessions.keys(), ...this.pauses.keys()])) this.end(name);
  }

  private onInventory(change: InventoryChange): void {
    const known = [...this.sessions.keys(), ...this.pauses.keys(), ...this.latest.keys()];
    const all = new Set([...this.inventory.sandboxes.map(({ name }) => name), ...known]);
    for (const name of change.kind === 'all' ? all : [change.name]) this.consider(name);
  }

  private consider(name: SandboxName): void {
    const sandbox = this.inventory.sandbox(name);
    if (sandbox === undefined) this.latest.delete(name);
    if (this.inventory.state.kind !== 'ready' || !isToBeFollowed(sandbox)) this.end(name);
    else if (!this.sessions.has(name) && !this.pauses.has(name)) void this.follow(name);
  }

  private async follow(name: SandboxName): Promise<void> {
    const session: Session = { controller: new AbortController(), begunMs: Date.now(), silence: undefined };
    const isCurrent = (): boolean => this.sessions.get(name) === session;
    const listen = (): void => {
      clearTimeout(session.silence);
      session.silence = setTimeout(() => isCurrent() && this.again(name), SILENT_MS);
    };
    this.sessions.set(name, session);
    listen();
    const { outcome } = this.latest.get(name) ?? {};
    if (outcome === 'done' || outcome === 'failed') this.latest.delete(name); // it has been begun again
    const tell = (progress: ProvisionProgress): void => {
      if (!isCurrent()) return;
      listen();
      this.learn(name, progress);
    };
    try {
      await this.provisioner.follow(name, tell, session.controller.signal);
    } catch (error) {
      if (!isKind(error, 'cancelled'))
        this.log.debug(`No progress of ${name} any more: ${toPixelsError(error).message}`);
    }
    // When the recipe has ended, or the sandbox has stopped, the inventory says so before the pause is over.
    if (isCurrent()) this.again(name);
  }

  private again(name: SandboxName): void {
    const lastedMs = Date.now() - (this.sessions.get(name)?.begunMs ?? 0);
    const pauseMs = lastedMs > LONGEST_PAUSE_MS ? SHORTEST_PAUSE_MS : (this.pauseMs.get(name) ?? SHORTEST_PAUSE_MS);
    this.end(name);
    this.pauseMs.set(name, Math.min(pauseMs * 2, LONGEST_PAUSE_MS));
    const pause = setTimeout(() => {
      this.pauses.delete(name);
      this.consider(name);
    }, pauseMs);
    this.pauses.set(name, pause);
  }

  private end(name: SandboxName): void {
    const session = this.sessions.get(name);
    clearTimeout(session?.silence);
    session?.controller.abort();
    clearTimeout(this.pauses.get(name));
    this.sessions.delete(name);
    this.pauses.delete(name);
    this.pauseMs.delete(name);
  }

  private learn(name: SandboxName, progress: ProvisionProgress): void {
    this.latest.set(name, progress);
    this.untold.add(name);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const names = [...this.untold];
      this.untold.clear();
      for (const each of names) this.onDidChange(each);
    }, COALESCE_MS);
  }
}

function isToBeFollowed(sandbox: Sandbox | undefined): boolean {
  if (sandbox?.status !== 'running' || sandbox.mark !== undefined || baseOf(sandbox.name) !== undefined) return false;
  return readProvisionRecord(sandbox.state.provision)?.outcome === 'running';
}
