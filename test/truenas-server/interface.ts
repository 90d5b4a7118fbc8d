import type { Misbehaviour } from './misbehaviour';

/** The releases whose API the server speaks; each is the newest API version of its line that the schemas were taken from. */
export type Profile = '25.04.2' | '25.10.5' | '26.0';

export interface TrueNasServerOptions {
  /** The unix socket of the Incus daemon behind it. */
  readonly socket: string;
  /** The Incus project whose instances are this NAS's own; its caller makes and removes it. */
  readonly project: string;
  /** The Incus storage pool, on btrfs. */
  readonly incusPool: string;
  /** The ZFS pool that clients see in its place: `tank` by default. */
  readonly pool?: string;
  readonly profile: Profile;
  /** A loopback port; a free one by default. */
  readonly port?: number;
  readonly misbehave?: Partial<Misbehaviour>;
}

export interface AddKeyOptions {
  /** The roles of the key's user; `['FULL_ADMIN']` by default. */
  readonly roles?: readonly string[];
  /** Whether the user's privilege has `web_shell`; true by default. */
  readonly webShell?: boolean;
  /** Logging in answers EXPIRED. */
  readonly expired?: boolean;
  /** Logging in answers OTP_REQUIRED; `123456` is the right one. */
  readonly otp?: boolean;
  /** Whether the user may do everything by sudo, without which the shell of 25.x cannot reach Incus; true by default. */
  readonly sudo?: boolean;
}

export interface Credentials {
  readonly username: string;
  readonly apiKey: string;
}

/** What a client called. Secrets are replaced by asterisks. */
export interface ReceivedCall {
  readonly method: string;
  readonly params: unknown;
}

export interface TrueNasServer extends Credentials {
  readonly host: string;
  readonly port: number;
  /** Where it answers without TLS, as a NAS does on port 80: an API key that logs in there is revoked. */
  readonly plainPort: number;
  /** PEM. */
  readonly certificate: string;
  /** SHA-256, as in Node's `getPeerCertificate().fingerprint256`. */
  readonly fingerprint: string;
  addKey(options?: AddKeyOptions): Credentials;
  keyRevoked(apiKey: string): boolean;
  /** Its fields may be set at any time. */
  readonly misbehave: Misbehaviour;
  /** Every call received over the network since the start. */
  readonly calls: readonly ReceivedCall[];
  /** The directory that stands for the NAS's own root file system; a container's file that escapes lands in there. */
  readonly hostRoot: string;
  /** What somebody else on the NAS does: checked in the same way, by root. Resolves to a job's result when the job has ended. */
  call(method: string, params?: readonly unknown[]): Promise<unknown>;
  /**
   * Connections drop and what cron jobs were running is killed; jobs start at 1 again; sessions, tokens and subscriptions are gone;
   * `/api/boot_id` stays. For `downMs` nginx answers 502, as it does until the middleware is up. What Incus was doing goes on.
   */
  restartMiddleware(options?: { downMs?: number }): Promise<void>;
  /** Cuts every connection without a closing handshake, as a network does that goes away. */
  dropConnections(): void;
  /** Ends it; instances and snapshots stay, and a later server on the same project and pool finds them. */
  close(): Promise<void>;
}
