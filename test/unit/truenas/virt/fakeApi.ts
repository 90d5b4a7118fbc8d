import * as z from 'zod/mini';
import { PixelsError, type ErrorKind } from '../../../../src/sandbox/errors';
import type { CollectionEvent, LinkChange, TrueNasApi } from '../../../../src/truenas/api';

/** By method: what it returns, how it comes to that, or the kind of error that it ends with. */
export type Answers = Readonly<Record<string, unknown>>;

export interface FakeApi extends TrueNasApi {
  /** Methods, in the order of the calls. */
  readonly calls: { readonly method: string; readonly params: readonly unknown[] }[];
  /** What the server tells those who have subscribed. */
  tell(collection: string, event: CollectionEvent): void;
  linked(change: LinkChange): void;
}

/** A connection to nowhere, for what is decided on this side of it. The real ones are tried by the contract suite. */
export function fakeApi(answers: Answers): FakeApi {
  const calls: FakeApi['calls'] = [];
  const subscribers = new Map<string, Set<(event: CollectionEvent) => void>>();
  const links = new Set<(change: LinkChange) => void>();

  async function answer<T>(method: string, params: readonly unknown[], result: z.ZodMiniType<T>): Promise<T> {
    calls.push({ method, params });
    const given = answers[method];
    if (given === undefined) throw new Error(`nobody answers ${method}`);
    if (typeof given === 'string') throw new PixelsError(given as ErrorKind, given);
    const value: unknown =
      typeof given === 'function' ? await (given as (...of: unknown[]) => unknown)(...params) : given;
    return z.parse(result, value);
  }

  return {
    calls,
    call: answer,
    job: answer,
    server: () => Promise.resolve({ version: 'TrueNAS-25.10.1', containers: 'virt' }),
    snapshotMethods: () => Promise.resolve('pool.snapshot'),
    subscribe(collection, listener) {
      const listeners = subscribers.get(collection) ?? new Set();
      subscribers.set(collection, listeners.add(listener));
      return { close: () => listeners.delete(listener) };
    },
    tell(collection, event) {
      for (const listener of subscribers.get(collection) ?? []) listener(event);
    },
    link(listener) {
      links.add(listener);
      return { close: () => links.delete(listener) };
    },
    linked(change) {
      for (const listener of links) listener(change);
    },
    shell: () => Promise.reject(new Error('there is no shell')),
    close: () => undefined,
  };
}

/** An instance as `virt.instance.query` gives it. */
export function instance(name: string, more: object = {}): Record<string, unknown> {
  return {
    name,
    type: 'CONTAINER',
    status: 'STOPPED',
    cpu: null,
    memory: null,
    environment: {},
    aliases: [],
    image: { description: 'Debian bookworm amd64 (20261123)', os: 'Debian', release: 'bookworm', variant: 'default' },
    storage_pool: 'tank',
    raw: null,
    ...more,
  };
}
