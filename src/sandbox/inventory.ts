import { basesIn, sandboxesIn } from './base';
import { isKind, toPixelsError, type PixelsError } from './errors';
import type { Closable, HostEvent, SandboxHost } from './host';
import type { Log } from './log';
import type { SandboxName } from './name';
import type { Checkpoint, Lacks, Sandbox } from './sandbox';

export type InventoryState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready' }
  /** Not connected; what was known last is still there to be shown. */
  | { readonly kind: 'failed'; readonly error: PixelsError };

/** What to draw again: one row (it may be new or gone), or everything. */
export type InventoryChange = { readonly kind: 'all' } | { readonly kind: 'sandbox'; readonly name: SandboxName };

/** One use case causes a burst of events; they are answered with one look. */
const COALESCE_MS = 25;
/** The server's events are reliable; this only mends what no event tells. */
const BACKSTOP_MS = 60_000;
/** DHCP answers some time after the start, and no event says so. */
const ADDRESS_RETRY_MS = [400, 800, 1600, 3200];
/** From so many changed sandboxes on, one list is cheaper than a look at each. */
const LIST_INSTEAD = 8;

/**
 * The live list: loaded once, then kept by the server's events. It is connected only while somebody looks at it.
 * Everything that shows sandboxes (tree, SSH entries) reads this one, and nobody has to refresh it.
 */
export class Inventory {
  private readonly byName = new Map<SandboxName, Sandbox>();
  private readonly checkpointLists = new Map<SandboxName, Promise<readonly Checkpoint[]>>();
  private readonly listeners = new Set<(change: InventoryChange) => void>();
  private readonly dirty = new Set<SandboxName>();
  private readonly addressTries = new Map<SandboxName, number>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private current: InventoryState = { kind: 'loading' };
  private known: Lacks = {};
  private lookers = 0;
  private watch: Closable | undefined;
  /** One look at the server at a time, so that an older answer never overwrites a newer one. */
  private queue = Promise.resolve();

  constructor(
    private readonly host: SandboxHost,
    private readonly log: Log,
  ) {}

  get state(): InventoryState {
    return this.current;
  }

  /** What the server cannot do; empty until it has said so, which it is asked after each connect. */
  get lacks(): Lacks {
    return this.known;
  }

  /** Sorted by name, without the bases. */
  get sandboxes(): readonly Sandbox[] {
    return sandboxesIn(this.sorted());
  }

  /** Sorted by name. */
  get bases(): readonly Sandbox[] {
    return basesIn(this.sorted());
  }

  sandbox(name: SandboxName): Sandbox | undefined {
    return this.byName.get(name);
  }

  /** Oldest first; asked once, then again only after a change. */
  checkpoints(name: SandboxName): Promise<readonly Checkpoint[]> {
    let list = this.checkpointLists.get(name);
    if (list === undefined) {
      list = this.host.checkpoints(name);
      list.catch(() => this.checkpointLists.delete(name));
      this.checkpointLists.set(name, list);
    }
    return list;
  }

  onDidChange(listener: (change: InventoryChange) => void): Closable {
    this.listeners.add(listener);
    return { close: () => this.listeners.delete(listener) };
  }

  /** Keeps the list live until closed. The first look connects, the last one to close disconnects. */
  look(): Closable {
    if (this.lookers++ === 0) this.connect();
    let open = true;
    return {
      close: () => {
        if (!open) return;
        open = false;
        if (--this.lookers === 0) this.disconnect();
      },
    };
  }

  /** Loads everything again, for people who do not trust events. */
  refresh(): Promise<void> {
    return this.inTurn(() => this.load());
  }

  private sorted(): readonly Sandbox[] {
    return [...this.byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  private connect(): void {
    this.watch = this.host.watch((event) => this.onEvent(event));
    const backstop = setInterval(() => void this.refresh(), BACKSTOP_MS);
    backstop.unref();
    this.timers.add(backstop);
  }

  private disconnect(): void {
    this.watch?.close();
    this.watch = undefined;
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    this.dirty.clear();
    this.addressTries.clear();
  }

  private onEvent(event: HostEvent): void {
    switch (event.kind) {
      case 'connected':
        void this.refresh().then(() => this.learn());
        break;
      case 'disconnected':
        this.log.warn(`Lost the server: ${toPixelsError(event.error).message}`);
        this.become({ kind: 'failed', error: toPixelsError(event.error) });
        break;
      case 'checkpoints-changed':
        this.checkpointLists.delete(event.name);
        this.lookAgainAt(event.name);
        break;
      case 'changed':
        this.lookAgainAt(event.name);
    }
  }

  private inTurn(look: () => Promise<void>): Promise<void> {
    this.queue = this.queue.then(look);
    return this.queue;
  }

  private async load(): Promise<void> {
    try {
      const listed = await this.host.list();
      this.byName.clear();
      this.checkpointLists.clear();
      for (const sandbox of listed) this.byName.set(sandbox.name, sandbox);
      this.become({ kind: 'ready' });
      for (const sandbox of listed) this.expectAddress(sandbox);
    } catch (error) {
      this.become({ kind: 'failed', error: toPixelsError(error) });
    }
  }

  private async learn(): Promise<void> {
    try {
      const { lacks } = await this.host.info();
      if (JSON.stringify(lacks) === JSON.stringify(this.known)) return;
      this.known = lacks;
      this.tell({ kind: 'all' });
    } catch (error) {
      this.log.debug(`What the server can do is not known: ${toPixelsError(error).message}`);
    }
  }

  private become(state: InventoryState): void {
    this.current = state;
    this.tell({ kind: 'all' });
  }

  private tell(change: InventoryChange): void {
    for (const listener of this.listeners) listener(change);
  }

  private lookAgainAt(name: SandboxName, afterMs = COALESCE_MS): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      if (this.dirty.size === 0) void this.inTurn(() => this.flush());
      this.dirty.add(name);
    }, afterMs);
    timer.unref();
    this.timers.add(timer);
  }

  private async flush(): Promise<void> {
    const names = [...this.dirty];
    this.dirty.clear();
    if (this.watch === undefined) return;
    if (names.length >= LIST_INSTEAD) await this.load();
    else await Promise.all(names.map((name) => this.update(name)));
  }

  private async update(name: SandboxName): Promise<void> {
    const before = this.byName.get(name);
    try {
      const after = await this.host.get(name);
      this.byName.set(name, after);
      if (JSON.stringify(before) !== JSON.stringify(after)) {
        if (before?.checkpointCount !== after.checkpointCount) this.checkpointLists.delete(name);
        this.tell({ kind: 'sandbox', name });
      }
      this.expectAddress(after);
    } catch (error) {
      if (isKind(error, 'not-found')) {
        this.checkpointLists.delete(name);
        if (this.byName.delete(name)) this.tell({ kind: 'sandbox', name });
      } else {
        this.log.warn(`Could not look at ${name}: ${toPixelsError(error).message}`);
      }
    }
  }

  private expectAddress({ name, status, addresses }: Sandbox): void {
    if (status !== 'running' || addresses.length > 0) {
      this.addressTries.delete(name);
      return;
    }
    const tries = this.addressTries.get(name) ?? 0;
    const delay = ADDRESS_RETRY_MS[tries];
    if (delay === undefined || this.watch === undefined) return;
    this.addressTries.set(name, tries + 1);
    this.lookAgainAt(name, delay);
  }
}
