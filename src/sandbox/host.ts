import type { Readable, Writable } from 'node:stream';
import type { Check, Wanted } from './check';
import type { GatewayHost } from './gateway';
import type { Mark } from './mark';
import type { CheckpointLabel, SandboxName } from './name';
import type {
  Checkpoint,
  CopySpec,
  HostInfo,
  LinkedClone,
  LocalImage,
  LostSnapshot,
  Sandbox,
  SandboxSpec,
  SandboxState,
  StateChange,
} from './sandbox';

/**
 * The port: what a server must be able to do for Pixels. One adapter per protocol implements it; one contract suite
 * (test/contract) says what each method means and runs against every adapter.
 *
 * Every method throws only {@link PixelsError}; an aborted signal ends the wait with kind `cancelled`, asks the server
 * to stop where it can, and leaves what the server had already done. Methods do one thing: use cases of several steps
 * are in lifecycle.ts.
 */
export interface SandboxHost {
  /** One round trip; also the way to find out whether the server is there and lets us in. */
  info(signal?: AbortSignal): Promise<HostInfo>;

  /**
   * Looks, on behalf of a person, at what new sandboxes need of the server and at what we may do there: one check for each
   * thing, in the order in which one would mend them. Changes nothing. What is not as it should be is a check; it throws
   * only `cancelled`.
   */
  examine(wanted: Wanted, signal?: AbortSignal): Promise<readonly Check[]>;

  /** All sandboxes, and the bases among them (base.ts), sorted by name, in a number of requests that does not grow with the number of sandboxes. */
  list(signal?: AbortSignal): Promise<readonly Sandbox[]>;

  /** @throws `not-found`. */
  get(name: SandboxName, signal?: AbortSignal): Promise<Sandbox>;

  /** Images that a sandbox can be made from without naming an image server, sorted by alias. */
  images(signal?: AbortSignal): Promise<readonly LocalImage[]>;

  /**
   * What tells the image that goes by this alias now from one that went by it before. Undefined for an image that the server
   * has not got under that alias, and where it does not say.
   */
  imageFingerprint(image: string, signal?: AbortSignal): Promise<string | undefined>;

  /**
   * Makes a stopped sandbox from an image, downloading the image first when it is not there.
   * @throws `exists`, `not-found` (image), `no-space`.
   */
  create(spec: SandboxSpec, run?: Run): Promise<void>;

  /**
   * Makes a stopped sandbox that is an independent copy of the source, without its checkpoints and its network identity; a
   * linked clone where {@link HostInfo.copiesAreLinked}.
   * @throws `exists`, `not-found` (source or checkpoint), `no-space`.
   */
  copy(spec: CopySpec, run?: Run): Promise<void>;

  /**
   * Takes away from a stopped copy what makes it pass for its source: its machine-id is made anew at the next start
   * (machine-id(5)), and with it the identity that it shows to DHCP servers. To be done before its first start.
   */
  resetIdentity(name: SandboxName, signal?: AbortSignal): Promise<void>;

  /**
   * Writes files of root's into a sandbox, with the directories that they are in; in the place of those that are there. The last one
   * is a seal: where it is there as it is given, so are the others, and nothing is done. Absent where the server cannot write into
   * a sandbox that is stopped. @throws `not-found`, `no-space`.
   */
  putFiles?(name: SandboxName, files: readonly GuestFile[], signal?: AbortSignal): Promise<void>;

  /** For policies that are enforced outside the sandbox. Absent where the server has no such networks. */
  readonly gateway?: GatewayHost;

  /** Nothing happens when it already runs. Returns when its init has been started, not when it has an address. */
  start(name: SandboxName, run?: Run): Promise<void>;

  /** Nothing happens when it is already stopped. Without `force`, its init gets `timeoutMs` to shut down. */
  stop(name: SandboxName, how: StopOptions, run?: Run): Promise<void>;

  /**
   * Sandboxes that share their blocks with this one and would have to be destroyed before it, sorted by name. Empty where
   * copies are independent ({@link HostInfo.copiesAreLinked}), and where there is no such sandbox.
   */
  linkedClones(name: SandboxName, signal?: AbortSignal): Promise<readonly LinkedClone[]>;

  /** Removes the sandbox, which must be stopped, and its checkpoints. @throws `not-found`, `wrong-state`. */
  destroy(name: SandboxName, run?: Run): Promise<void>;

  /** Oldest first. */
  checkpoints(name: SandboxName, signal?: AbortSignal): Promise<readonly Checkpoint[]>;

  /** Labels only, in no order: cheaper where a server tells the rest of checkpoints one by one. @throws `not-found`. */
  labels(name: SandboxName, signal?: AbortSignal): Promise<readonly CheckpointLabel[]>;

  /**
   * Works on running and stopped sandboxes.
   * @param check sees the sandbox's mark before anything is done; what it throws is thrown.
   * @throws `exists`, `no-space`.
   */
  createCheckpoint(
    name: SandboxName,
    label: CheckpointLabel,
    run?: Run,
    check?: (mark: Mark | undefined) => void,
  ): Promise<void>;

  /** @throws `not-found`. */
  deleteCheckpoint(name: SandboxName, label: CheckpointLabel, run?: Run): Promise<void>;

  /**
   * What a rollback to this checkpoint would destroy, oldest first: where {@link HostInfo.rollbackDestroysNewer} is true, all
   * snapshots that are newer, whosever they are. Asked before anything is done to the sandbox.
   * @throws `not-found`; `wrong-state` or `unsupported` where the rollback would be refused.
   */
  lostByRollback(name: SandboxName, label: CheckpointLabel, signal?: AbortSignal): Promise<readonly LostSnapshot[]>;

  /**
   * The root filesystem of a stopped sandbox becomes the checkpoint's. Limits, devices and state stay as they are now.
   * @throws `not-found`, `wrong-state`.
   */
  rollback(name: SandboxName, label: CheckpointLabel, run?: Run): Promise<void>;

  /**
   * Reads the state, applies `change`, writes it; no other writer comes in between (`change` may run again when one
   * tries). What `change` throws is thrown.
   */
  updateState(name: SandboxName, change: (state: SandboxState) => StateChange, signal?: AbortSignal): Promise<void>;

  /**
   * Starts a command in a running sandbox. An aborted signal hangs up, also later. A command that is not there ends with
   * exit code 127 and a line on standard error, as in a shell. @throws `wrong-state`, `not-found` (sandbox).
   */
  exec(name: SandboxName, request: ExecRequest, signal?: AbortSignal): Promise<ExecSession>;

  /**
   * Reports changes, by anybody, until closed. The connection is restored by itself (with back-off); after every
   * `connected` the listener must assume that it missed something.
   */
  watch(listener: (event: HostEvent) => void): Closable;

  /** Ends every connection. The host cannot be used afterwards. */
  close(): void;
}

/** A file inside a sandbox. */
export interface GuestFile {
  readonly path: string;
  readonly content: string;
  /** Permissions: 0o644. */
  readonly mode: number;
}

export interface Closable {
  close(): void;
}

/** What every long action takes. */
export interface Run {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface Progress {
  /** A short phrase without a final stop: "Starting web". */
  readonly message: string;
  /** 0 to 1 where the server says how far it is. */
  readonly fraction?: number | undefined;
}

export interface StopOptions {
  readonly force: boolean;
  readonly timeoutMs: number;
}

export type HostEvent =
  | { readonly kind: 'connected' }
  | { readonly kind: 'disconnected'; readonly error: unknown }
  /** Something about this sandbox changed; it may be new, or gone. */
  | { readonly kind: 'changed'; readonly name: SandboxName }
  /** The checkpoints of this sandbox changed. */
  | { readonly kind: 'checkpoints-changed'; readonly name: SandboxName };

export interface ExecRequest {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
  /** Numeric; default root. */
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** A terminal of this size; without it, three separate 8-bit clean streams. */
  readonly tty?: { readonly columns: number; readonly rows: number } | undefined;
}

/** A command that runs in a sandbox. */
export interface ExecSession {
  /** Ending it closes the command's standard input. */
  readonly stdin: Writable;
  /** With a tty, everything the terminal shows. */
  readonly stdout: Readable;
  /** With a tty, always empty. */
  readonly stderr: Readable;
  /** 128 + N when signal N ended it. Rejects when the connection breaks first. */
  readonly exitCode: Promise<number>;
  resize(columns: number, rows: number): void;
  /** Sends a signal by its Linux number. */
  signal(number: number): void;
  /** Hangs up: the connection is closed and the command gets what a closed terminal gives it. */
  close(): void;
}
