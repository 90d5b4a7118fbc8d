import * as z from 'zod/mini';
import type { Closable } from '../sandbox/host';
import type { Log } from '../sandbox/log';
import type { CollectionEvent } from './api';
import type { RpcConnection } from './rpc';
import { parseWire } from './wire';

type Listener = (event: CollectionEvent) => void;

/** Which collections are listened to, and what the server calls the subscriptions of the connection there is. */
export class Subscriptions {
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly ids = new Map<string, Promise<string | undefined>>();
  private readonly renewed = new Set<string>();
  private rpc: RpcConnection | undefined;

  /** @param onGap the server had ended a subscription, it was made again, and events were missed meanwhile. */
  constructor(
    private readonly log: Log,
    private readonly limitMs: number,
    private readonly onGap: () => void,
  ) {}

  /** @param kept leaves the subscription in place on the server when the last listener goes, for the next one. */
  add(collection: string, listen: Listener, kept = false): Closable {
    const listener: Listener = (event) => listen(event);
    const listeners = this.listeners.get(collection) ?? new Set();
    this.listeners.set(collection, listeners.add(listener));
    void this.ready(collection);
    return {
      close: () => {
        if (!listeners.delete(listener) || listeners.size > 0) return;
        if (this.listeners.get(collection) === listeners) this.listeners.delete(collection);
        if (!kept) this.unsubscribe(collection);
      },
    };
  }

  /** Resolves once events of this collection would come, or cannot be had; at once while there is no connection. */
  async ready(collection: string): Promise<void> {
    const { rpc } = this;
    if (rpc === undefined) return;
    const id = this.ids.get(collection) ?? this.subscribe(rpc, collection);
    this.ids.set(collection, id);
    await id;
  }

  /** A new connection knows of no subscriptions. Resolves when it has them. */
  async restore(rpc: RpcConnection): Promise<void> {
    this.lost();
    this.rpc = rpc;
    await Promise.all([...this.listeners.keys()].map((collection) => this.ready(collection)));
  }

  lost(): void {
    this.rpc = undefined;
    this.ids.clear();
    this.renewed.clear();
  }

  deliver(collection: string, event: CollectionEvent): void {
    for (const listener of [...(this.listeners.get(collection) ?? [])]) {
      try {
        listener(event);
      } catch (error) {
        this.log.error(`truenas event of ${collection.slice(0, 100)}: ${String(error)}`);
      }
    }
  }

  /** The server has ended it. It is made again, but once per connection: what ends again at once is best left alone. */
  ended(collection: string): void {
    this.ids.delete(collection);
    this.log.warn(`truenas ended the subscription to ${collection.slice(0, 100)}`);
    if (!this.listeners.has(collection) || this.renewed.has(collection)) return;
    this.renewed.add(collection);
    void this.ready(collection).then(this.onGap);
  }

  private async subscribe(rpc: RpcConnection, collection: string): Promise<string | undefined> {
    try {
      return parseWire(z.string(), await rpc.request('core.subscribe', [collection], this.limitMs), 'core.subscribe');
    } catch (error) {
      if (rpc.isOpen) this.log.warn(`truenas has no events of ${collection}: ${(error as Error).message}`);
      return undefined;
    }
  }

  private unsubscribe(collection: string): void {
    const { rpc } = this;
    const id = this.ids.get(collection);
    this.ids.delete(collection);
    if (rpc === undefined || id === undefined) return;
    const end = async (): Promise<void> => {
      const subscription = await id;
      if (subscription !== undefined) await rpc.request('core.unsubscribe', [subscription], this.limitMs);
    };
    end().catch((error: unknown) => this.log.trace(`truenas core.unsubscribe: ${(error as Error).message}`));
  }
}
