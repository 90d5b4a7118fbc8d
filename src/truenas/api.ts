import type { Duplex } from 'node:stream';
import type { ZodMiniType } from 'zod/mini';
import type { Closable, Run } from '../sandbox/host';
import type { About } from './errors';

/**
 * What the rest of this room needs of a TrueNAS connection: calls, jobs, events and shells over one WebSocket that is
 * opened (and logged in) by the first call and comes back by itself. Everything throws only PixelsError.
 * Implemented by session.ts; https://api.truenas.com/v25.10/ describes the methods.
 */
export interface TrueNasApi {
  /** What this server is and has; found out once per connection. */
  server(signal?: AbortSignal): Promise<ServerInfo>;

  /** The namespace of its snapshot methods; found out once per connection, and not before somebody needs one. */
  snapshotMethods(signal?: AbortSignal): Promise<SnapshotMethods>;

  /**
   * Calls a method that is not a job and parses what it returns. At most 10 calls are in flight; the rest wait here.
   * `params` are positional. An aborted signal ends the wait, not the call.
   */
  call<T>(method: string, params: readonly unknown[], result: ZodMiniType<T>, call?: Call): Promise<T>;

  /**
   * Calls a method that is a job and waits for its end, with its progress. A lost connection is waited out: after it
   * the job is trusted only if method and arguments are the same. An aborted signal (kind `cancelled`) ends the wait, not
   * the job: read again what became of it.
   * A method that is no job on this version is called as one that is none. What a failed job has logged is in
   * `refusalOf(error).logs`.
   * @throws `unknown outcome` as kind `unreachable` when nobody can say how the job ended.
   */
  job<T>(method: string, params: readonly unknown[], result: ZodMiniType<T>, call?: JobCall): Promise<T>;

  /** Events of a collection until closed, subscribed to again after every reconnect. */
  subscribe(collection: string, listener: (event: CollectionEvent) => void): Closable;

  /**
   * Keeps the connection up until closed, and says when it is there and when it was lost. After every `connected` the
   * listener must assume that it missed events. Without any link the connection ends once it has been idle for a while.
   */
  link(listener: (change: LinkChange) => void): Closable;

  /** An interactive shell on the NAS's side of `/websocket/shell`. An aborted signal ends the opening, not the shell. */
  shell(options: ShellOptions, signal?: AbortSignal): Promise<Shell>;

  close(): void;
}

export interface Call {
  /** What the call is about, for the error's sentence. */
  readonly about?: About | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long the answer may take, with the time in the queue; default 60 s; may be infinite. */
  readonly limitMs?: number | undefined;
}

export interface JobCall extends Run {
  readonly about?: About | undefined;
  /** How long the job may take; default 10 min; may be infinite. */
  readonly limitMs?: number | undefined;
}

/** What this server can do, by asking it, not by its version number. */
export interface ServerInfo {
  /** As `system.version` has it: `TrueNAS-25.10.1`. */
  readonly version: string;
  /** `none`: virtualisation is not there (24.10 and older). */
  readonly containers: 'virt' | 'container' | 'none';
}

/** `zfs` on 25.04. */
export type SnapshotMethods = 'pool.snapshot' | 'zfs.snapshot';

export interface CollectionEvent {
  readonly kind: 'added' | 'changed' | 'removed';
  readonly id: string | number | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
}

export type LinkChange = { readonly kind: 'connected' } | { readonly kind: 'disconnected'; readonly error: unknown };

/** 25.x: `virt_instance_id` and one word as `command`; 26: `container_id` and a shell script as `command`. */
export type ShellOptions =
  | { readonly virt_instance_id: string; readonly command: string }
  | { readonly container_id: number; readonly command: string };

/** A terminal that is connected. */
export interface Shell {
  /** Raw bytes of the terminal, both ways, with back-pressure. Destroying it hangs up. Ends when the process has ended. */
  readonly stream: Duplex;
  resize(columns: number, rows: number): Promise<void>;
}
