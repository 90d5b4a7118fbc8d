import { toPixelsError } from '../../sandbox/errors';
import type { Closable, HostEvent } from '../../sandbox/host';
import type { Log } from '../../sandbox/log';
import type { SandboxName } from '../../sandbox/name';
import type { SandboxStatus } from '../../sandbox/sandbox';
import type { CollectionEvent, LinkChange, TrueNasApi } from '../api';
import { labelOf, parseSnapshot, sandboxOfDataset } from './names';
import type { OwnEvents } from './ownEvents';

/** What can change in a sandbox without an event. */
export interface Glimpse {
  readonly status: SandboxStatus;
  readonly addresses: readonly string[];
}

/** What an event says. */
export interface Seen {
  readonly name: SandboxName;
  /** Whether it may have begun to run, so that it gets an address. */
  readonly mayRun: boolean;
}

/** How a watch looks at the instances of one kind: those of `virt.*`, or those of `container.*`. */
export interface Lookout {
  /** Tells of events of sandboxes, by anybody, until closed. */
  subscribe(listener: (seen: Seen) => void): Closable;
  all(): Promise<ReadonlyMap<SandboxName, Glimpse>>;
  /** Undefined when it is gone. */
  one(name: SandboxName): Promise<Glimpse | undefined>;
}

/** There is no event for a new address, nor for a sandbox that powers itself off. */
const ADDRESS_PAUSE_MS = 1_000;
const ADDRESS_LIMIT_MS = 60_000;
const BACKSTOP_MS = 45_000;

/** See `SandboxHost.watch`. Timers run only while it is watched and connected. */
export class Watch implements Closable {
  private readonly open: Closable[];
  private snapshots: Closable | undefined;
  private connected = false;
  private closed = false;
  private turn = 0;
  private known: ReadonlyMap<SandboxName, Glimpse> = new Map();
  private backstop: NodeJS.Timeout | undefined;
  /** Sandboxes that are waited for to get an address; without a connection nobody looks. */
  private readonly expecting = new Map<SandboxName, { until: number; timer: NodeJS.Timeout | undefined }>();

  constructor(
    private readonly api: TrueNasApi,
    private readonly lookout: Lookout,
    own: OwnEvents,
    private readonly log: Log,
    private readonly listener: (event: HostEvent) => void,
  ) {
    this.open = [
      lookout.subscribe((seen) => this.onInstance(seen)),
      own.listen((event) => this.report(event)),
      api.link((change) => void this.onLink(change)),
    ];
  }

  close(): void {
    this.closed = true;
    this.pauseTimers();
    this.open.forEach((one) => one.close());
    this.snapshots?.close();
  }

  private async onLink(change: LinkChange): Promise<void> {
    if (this.closed) return;
    const turn = ++this.turn;
    try {
      if (change.kind === 'disconnected') throw change.error;
      const snapshots = await this.api.snapshotMethods();
      // Before the listener looks: a change in between is told once too often, and never lost.
      this.known = await this.look();
      if (this.isOver(turn)) return;
      this.snapshots ??= this.api.subscribe(`${snapshots}.query`, (event) => this.onSnapshot(event));
      this.connected = true;
      this.listener({ kind: 'connected' });
      this.backstop ??= setInterval(() => void this.lookForChanges(), BACKSTOP_MS).unref();
      const without = [...this.known].filter(([, glimpse]) => isWithoutAddress(glimpse)).map(([name]) => name);
      // Those of before an interruption, those that began to run during it, and those of which an event came during the look.
      for (const name of new Set([...this.expecting.keys(), ...without])) this.expectAddress(name);
    } catch (error) {
      if (this.isOver(turn)) return;
      this.connected = false;
      this.pauseTimers();
      this.listener({ kind: 'disconnected', error: toPixelsError(error) });
    }
  }

  private onInstance({ name, mayRun }: Seen): void {
    this.report({ kind: 'changed', name });
    // What was known was before that: a sandbox that was restarted has no address until it gets it again.
    this.known = new Map([...this.known].filter(([known]) => known !== name));
    if (mayRun) this.expectAddress(name);
  }

  private onSnapshot({ id }: CollectionEvent): void {
    const { dataset, snapshot } = parseSnapshot(String(id));
    const name = sandboxOfDataset(dataset);
    if (name !== undefined && labelOf(snapshot) !== undefined) this.report({ kind: 'checkpoints-changed', name });
  }

  private report(event: HostEvent): void {
    if (this.connected && !this.closed) this.listener(event);
  }

  private expectAddress(name: SandboxName): void {
    if (this.closed) return;
    clearTimeout(this.expecting.get(name)?.timer);
    const until = Date.now() + ADDRESS_LIMIT_MS;
    this.expecting.set(name, { until, timer: this.connected ? this.lookLater(name) : undefined });
  }

  private lookLater(name: SandboxName): NodeJS.Timeout {
    return setTimeout(() => void this.lookForAddress(name), ADDRESS_PAUSE_MS).unref();
  }

  private async lookForAddress(name: SandboxName): Promise<void> {
    const waiting = this.expecting.get(name);
    if (waiting === undefined) return;
    const glimpse = await this.lookout.one(name).catch((error: unknown) => this.note(error));
    if (this.expecting.get(name) !== waiting || !this.connected || this.closed) return; // that is seen to elsewhere
    if (glimpse !== undefined && isWithoutAddress(glimpse) && Date.now() < waiting.until) {
      waiting.timer = this.lookLater(name);
      return;
    }
    this.expecting.delete(name);
    if (glimpse === undefined) return;
    const isNews = !isSame(this.known.get(name), glimpse);
    this.known = new Map([...this.known, [name, glimpse]]);
    if (isNews) this.report({ kind: 'changed', name });
  }

  /** What there is, or nothing where the look fails: then all of it is news at the next one. */
  private async look(): Promise<ReadonlyMap<SandboxName, Glimpse>> {
    try {
      return await this.lookout.all();
    } catch (error) {
      this.note(error);
      return new Map();
    }
  }

  private async lookForChanges(): Promise<void> {
    try {
      const [before, now] = [this.known, await this.lookout.all()];
      this.known = now;
      for (const name of new Set([...before.keys(), ...now.keys()])) {
        if (!isSame(before.get(name), now.get(name))) this.report({ kind: 'changed', name });
      }
    } catch (error) {
      this.note(error);
    }
  }

  private pauseTimers(): void {
    clearInterval(this.backstop);
    this.backstop = undefined;
    for (const { timer } of this.expecting.values()) clearTimeout(timer);
  }

  /** Whether it was closed, or the connection changed again, while the `turn`th change was looked into. */
  private isOver(turn: number): boolean {
    return this.closed || turn !== this.turn;
  }

  private note(error: unknown): undefined {
    this.log.debug(`watching TrueNAS: ${String(error)}`);
    return undefined;
  }
}

function isWithoutAddress({ status, addresses }: Glimpse): boolean {
  return (status === 'running' || status === 'starting') && addresses.length === 0;
}

function isSame(one: Glimpse | undefined, other: Glimpse | undefined): boolean {
  return one?.status === other?.status && one?.addresses.join() === other?.addresses.join();
}
