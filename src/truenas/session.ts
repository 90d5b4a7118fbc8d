import type { ZodMiniType } from 'zod/mini';
import { cancelled, PixelsError, toPixelsError } from '../sandbox/errors';
import type { Closable } from '../sandbox/host';
import type { Log } from '../sandbox/log';
import type {
  Call,
  CollectionEvent,
  JobCall,
  LinkChange,
  ServerInfo,
  Shell,
  ShellOptions,
  SnapshotMethods,
  TrueNasApi,
} from './api';
import { Calls } from './calls';
import { SharedConnection } from './connection';
import { refused, TrueNasRefusal } from './errors';
import { runJob } from './jobs';
import { TIMING, type Timing } from './limits';
import { Link } from './link';
import type { RpcConnection } from './rpc';
import { probeServer, probeSnapshotMethods } from './serverInfo';
import { openShell } from './shell';
import { Subscriptions } from './subscriptions';
import { checkTarget, placeOf, type TrueNasTarget } from './target';
import { parseWire } from './wire';
import { within } from './within';

/**
 * A connection to this TrueNAS. No I/O until the first call or link.
 * @throws PixelsError `config` when the target cannot be used.
 */
export function connectTrueNas(
  target: TrueNasTarget,
  { log, timing = {} }: { readonly log: Log; readonly timing?: Partial<Timing> },
): TrueNasApi {
  checkTarget(target);
  return new Session(target, log, { ...TIMING, ...timing });
}

const JOBS = 'core.get_jobs';

/** Nobody hears of it; an error for each call would take as long as much of the rest. */
const NOBODY_WAITS = cancelled();

/** Joins the parts: one connection, a queue in front of it, subscriptions behind it, and the link that keeps it up. */
class Session implements TrueNasApi {
  readonly #target: TrueNasTarget;
  readonly #log: Log;
  readonly #timing: Timing;
  readonly #connection: SharedConnection;
  readonly #link: Link;
  readonly #subscriptions: Subscriptions;
  readonly #calls: Calls;
  readonly #closing = new AbortController();
  readonly #servers = new WeakMap<RpcConnection, Promise<ServerInfo>>();
  readonly #snapshotMethods = new WeakMap<RpcConnection, Promise<SnapshotMethods>>();
  #restored: Promise<void> = Promise.resolve();
  #working = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(target: TrueNasTarget, log: Log, timing: Timing) {
    this.#target = target;
    this.#log = log;
    this.#timing = timing;
    this.#subscriptions = new Subscriptions(log, timing.callLimitMs, () => this.#link.missed());
    this.#connection = new SharedConnection(target, log, timing, {
      event: (collection, event) => this.#subscriptions.deliver(collection, event),
      unsubscribed: (collection) => this.#subscriptions.ended(collection),
      up: (rpc) => this.#up(rpc),
      down: (error, rpc) => this.#down(error, rpc),
      isKeptUp: () => this.#link.isWanted,
    });
    this.#calls = new Calls(this.#connection, timing.tooManyPauseMs);
    this.#link = new Link(
      {
        connect: () => this.#keepUp(),
        isOver: () => this.#connection.over !== undefined,
        onUnwanted: () => this.#restIfIdle(),
      },
      timing,
      log,
    );
  }

  server(signal?: AbortSignal): Promise<ServerInfo> {
    return this.#oncePerConnection(this.#servers, probeServer, signal);
  }

  snapshotMethods(signal?: AbortSignal): Promise<SnapshotMethods> {
    return this.#oncePerConnection(this.#snapshotMethods, probeSnapshotMethods, signal);
  }

  async call<T>(method: string, params: readonly unknown[], result: ZodMiniType<T>, call: Call = {}): Promise<T> {
    const { about = {}, signal, limitMs = this.#timing.callLimitMs } = call;
    if (signal?.aborted === true) throw cancelled();
    const over = new AbortController();
    try {
      const answer = this.#work(() => this.#calls.perform(method, params, limitMs, over.signal));
      const value = await within(answer, { signal, limitMs, tooLate: () => this.#tooLate(method) });
      return parseWire(result, value, method);
    } catch (error) {
      throw error instanceof TrueNasRefusal ? refused(error, about) : toPixelsError(error);
    } finally {
      over.abort(NOBODY_WAITS);
    }
  }

  job<T>(method: string, params: readonly unknown[], result: ZodMiniType<T>, call?: JobCall): Promise<T> {
    const host = {
      timing: this.#timing,
      call: this.call.bind(this),
      link: this.link.bind(this),
      connectionMark: () => this.#connection.current,
      over: () => this.#connection.over,
      jobEvents: async (listener: (event: CollectionEvent) => void) => {
        const subscription = this.#subscriptions.add(JOBS, listener, true);
        try {
          await this.#connect();
          await this.#subscriptions.ready(JOBS);
          return subscription;
        } catch (error) {
          subscription.close();
          throw error;
        }
      },
    };
    return runJob(host, method, params, result, call);
  }

  subscribe(collection: string, listener: (event: CollectionEvent) => void): Closable {
    return this.#subscriptions.add(collection, listener);
  }

  link(listener: (change: LinkChange) => void): Closable {
    clearTimeout(this.#idle);
    return this.#link.add(listener);
  }

  shell(options: ShellOptions, signal?: AbortSignal): Promise<Shell> {
    const host = {
      target: this.#target,
      timing: this.#timing,
      log: this.#log,
      closing: this.#closing.signal,
      call: this.call.bind(this),
      address: () => this.#connection.current?.address,
    };
    return openShell(host, options, signal);
  }

  close(): void {
    clearTimeout(this.#idle);
    const closed = new PixelsError(
      'unreachable',
      `The connection to TrueNAS at ${placeOf(this.#target)} has been closed.`,
    );
    this.#closing.abort(closed);
    this.#connection.close(closed);
    this.#link.lost(closed, false);
  }

  async #oncePerConnection<T>(
    known: WeakMap<RpcConnection, Promise<T>>,
    probe: (call: TrueNasApi['call']) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const rpc = await within(this.#connect(), { signal });
    let found = known.get(rpc);
    if (found === undefined) {
      found = probe((method, params, result, call) => this.call(method, params, result, call));
      known.set(rpc, found);
      found.catch(() => known.delete(rpc));
    }
    return within(found, { signal });
  }

  #connect(): Promise<RpcConnection> {
    return this.#work(() => this.#connection.get('call', this.#connection.failures));
  }

  async #keepUp(): Promise<void> {
    const rpc = await this.#connection.get('link');
    await this.#restored;
    if (!rpc.isOpen) await rpc.request('core.ping', [], 0); // fails with what ended it
  }

  #up(rpc: RpcConnection): void {
    this.#restored = this.#subscriptions.restore(rpc);
    void this.#restored.then(() => {
      if (rpc.isOpen) this.#link.opened();
    });
  }

  #down(error: PixelsError, rpc: RpcConnection): void {
    this.#subscriptions.lost();
    this.#link.lost(error, Date.now() - rpc.since >= this.#timing.stableMs);
  }

  /** The connection is not idle while this goes on. */
  async #work<T>(work: () => Promise<T>): Promise<T> {
    this.#working++;
    clearTimeout(this.#idle);
    try {
      return await work();
    } finally {
      this.#working--;
      this.#restIfIdle();
    }
  }

  #restIfIdle(): void {
    clearTimeout(this.#idle);
    if (this.#working > 0 || this.#link.isWanted || this.#connection.current === undefined) return;
    this.#idle = setTimeout(() => {
      this.#connection.drop(new PixelsError('unreachable', 'The connection was idle and has been closed.'));
    }, this.#timing.idleMs).unref();
  }

  #tooLate(method: string): PixelsError {
    return new PixelsError('timeout', `TrueNAS at ${placeOf(this.#target)} does not answer in time.`, {
      hint: 'See whether it is overloaded, then try again.',
      cause: new Error(`${method}: no answer`),
    });
  }
}
