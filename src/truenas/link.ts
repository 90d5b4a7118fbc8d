import type { Closable } from '../sandbox/host';
import type { Log } from '../sandbox/log';
import type { LinkChange } from './api';
import type { Timing } from './limits';
import { reduceLink, type LinkEffect, type LinkInput, type LinkState } from './reconnect';

type Listener = (change: LinkChange) => void;

/** What the link keeps up. */
export interface LinkHost {
  /** Resolves once there is a connection and its subscriptions are in place. */
  connect(): Promise<void>;
  /** Whether there can be no connection any more. */
  isOver(): boolean;
  /** Nobody listens any more. */
  onUnwanted(): void;
}

/** Delays are made longer by up to this part, at random, so that not all windows come at once. */
const JITTER = 0.2;

/** Keeps the connection up while anybody listens; see `TrueNasApi.link`. */
export class Link {
  private state: LinkState = { phase: 'off' };
  private readonly listeners = new Set<Listener>();
  private timer: NodeJS.Timeout | undefined;
  private lastLoss: LinkChange | undefined;

  constructor(
    private readonly host: LinkHost,
    private readonly delays: Pick<Timing, 'firstDelayMs' | 'longestDelayMs'>,
    private readonly log: Log,
  ) {}

  get isWanted(): boolean {
    return this.listeners.size > 0;
  }

  /** What is already known is told to the new listener too, though not before this returns. */
  add(listen: Listener): Closable {
    const listener: Listener = (change) => listen(change);
    this.listeners.add(listener);
    const known = this.state.phase === 'connected' ? ({ kind: 'connected' } as const) : this.lastLoss;
    if (known !== undefined) queueMicrotask(() => this.listeners.has(listener) && this.tell(listener, known));
    this.happen({ kind: 'wanted' });
    return { close: () => this.remove(listener) };
  }

  opened(): void {
    this.happen({ kind: 'opened' });
  }

  lost(error: unknown, stable: boolean): void {
    this.happen({ kind: 'lost', error, stable, final: this.host.isOver() });
  }

  /** Events were missed although the connection was there. */
  missed(): void {
    if (this.state.phase === 'connected') this.perform({ kind: 'report', change: { kind: 'connected' } });
  }

  private remove(listener: Listener): void {
    if (!this.listeners.delete(listener) || this.isWanted) return;
    this.happen({ kind: 'unwanted' });
    this.lastLoss = undefined;
    this.host.onUnwanted();
  }

  private happen(input: LinkInput): void {
    const step = reduceLink(this.state, input, this.delays);
    this.state = step.state;
    step.effects.forEach((effect) => this.perform(effect));
  }

  private perform(effect: LinkEffect): void {
    switch (effect.kind) {
      case 'connect':
        this.host.connect().then(
          () => this.opened(),
          (error: unknown) => this.lost(error, false),
        );
        break;
      case 'wait':
        this.timer = setTimeout(() => this.happen({ kind: 'waited' }), effect.delayMs * (1 + Math.random() * JITTER));
        break;
      case 'stop-waiting':
        clearTimeout(this.timer);
        break;
      case 'report':
        this.lastLoss = effect.change.kind === 'connected' ? undefined : effect.change;
        [...this.listeners].forEach((listener) => this.tell(listener, effect.change));
    }
  }

  /** A listener that fails is no reason to end a connection. */
  private tell(listener: Listener, change: LinkChange): void {
    try {
      listener(change);
    } catch (error) {
      this.log.error(`truenas link: ${String(error)}`);
    }
  }
}
