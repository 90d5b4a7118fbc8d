import type { CheckpointLabel, SandboxName } from './name';
import type { Mark } from './mark';

/**
 * What the machine itself is doing. What Pixels is doing to it (creating, restoring) is its {@link Sandbox.mark}.
 */
export type SandboxStatus = 'running' | 'stopped' | 'frozen' | 'starting' | 'stopping' | 'error';

/** One sandbox as the server knows it. */
export interface Sandbox {
  readonly name: SandboxName;
  readonly status: SandboxStatus;
  /** Addresses that are reachable from outside the sandbox, IPv4 first. Empty while stopped or before DHCP. */
  readonly addresses: readonly string[];
  /** It has no address that can be reached, ever: only the server's API leads into it. Absent: it has. */
  readonly isBehindGateway?: true;
  /** Number of CPUs it may use; undefined is all of the host's. */
  readonly cpu: number | undefined;
  /** Memory limit in MiB; undefined is all of the host's. */
  readonly memoryMiB: number | undefined;
  readonly createdAt: Date;
  /** Of what it was made, as a person reads it: `Debian bookworm amd64 (20261123)`. */
  readonly image: string | undefined;
  readonly checkpointCount: number;
  /** Pixels' own keys, kept on the server with the sandbox and out of reach of a rollback. */
  readonly state: SandboxState;
  /** A use case of several steps that is under way, or was interrupted. */
  readonly mark: Mark | undefined;
}

/** A snapshot of a sandbox's root filesystem. */
export interface Checkpoint {
  readonly label: CheckpointLabel;
  readonly createdAt: Date;
  /** What it alone takes up, in bytes; undefined where the storage does not say. */
  readonly sizeBytes: number | undefined;
}

/** A snapshot that a rollback would destroy. */
export interface LostSnapshot {
  /** As the storage has it: `px-ready`, `auto-2026-11-23_00-00`. */
  readonly snapshot: string;
  /** Undefined when it is not one of our checkpoints: somebody else took it. */
  readonly label: CheckpointLabel | undefined;
  readonly createdAt: Date;
}

/**
 * State keys of a sandbox. Short names without prefix: the adapter decides how the server stores them
 * (Incus: `user.pixels.KEY` in the instance's config). Never anything secret.
 */
export interface SandboxState {
  /** JSON of a {@link Mark}. */
  readonly mark?: string;
  /** The sandbox's SSH host key, `ssh-ed25519 AAAA…`, as read over the server's API. */
  readonly hostKey?: string;
  /** User name that SSH logs in as. Absent: nobody has set up a way in. */
  readonly sshUser?: string;
  /** JSON of a `ProvisionRecord` (provisioning.ts). Absent: no recipe was put in. */
  readonly provision?: string;
  /** What it may reach, as the egress room writes it. Absent: everything, and nobody has ever said otherwise. */
  readonly egress?: string;
  /** JSON of a `BaseRecord` (base.ts). Absent: it is no base. */
  readonly base?: string;
}

/** State keys to write; `null` removes one. Keys that are not named stay. */
export type StateChange = { readonly [K in keyof SandboxState]?: SandboxState[K] | null };

/** What a sandbox is made of when it comes from an image. */
export interface SandboxSpec {
  readonly name: SandboxName;
  /** Image alias, `debian/12`, or with its server, `images:debian/12`. */
  readonly image: string;
  readonly limits: Limits;
  readonly placement: Placement;
  readonly state: SandboxState;
}

/** Resource limits; what is undefined stays as the server's default (or, for a copy, as the source has it). */
export interface Limits {
  readonly cpu?: number | undefined;
  readonly memoryMiB?: number | undefined;
}

/** Where on the server a sandbox goes; undefined is the default profile's choice. */
export interface Placement {
  readonly pool?: string | undefined;
  readonly network?: string | undefined;
}

/** A sandbox that starts as a copy of another one, or of one of its checkpoints. Snapshots are not copied. */
export interface CopySpec {
  readonly name: SandboxName;
  readonly source: { readonly name: SandboxName; readonly label?: CheckpointLabel | undefined };
  readonly limits: Limits;
  /** The copy's own state. Nothing of the source's state is taken over. */
  readonly state: SandboxState;
}

/** A sandbox that shares its blocks with the one that it was copied from. */
export interface LinkedClone {
  readonly name: SandboxName;
  /** The checkpoint that cannot be deleted before it; undefined when it was copied from the state of a moment. */
  readonly label: CheckpointLabel | undefined;
}

/** An image that the server offers. */
export interface LocalImage {
  readonly alias: string;
  readonly description: string;
  /** Undefined where the server does not say whether it has the image already. */
  readonly sizeBytes: number | undefined;
}

/** What the server is and has. */
export interface HostInfo {
  /** For a person: `Incus 6.0.4 on nas`. */
  readonly title: string;
  readonly cpuCount: number;
  readonly memoryMiB: number;
  /** Rolling back to a checkpoint destroys the ones taken after it (ZFS). */
  readonly rollbackDestroysNewer: boolean;
  /** A copy shares its blocks with its source, which then cannot go before the copy does; see {@link LinkedClone}. */
  readonly copiesAreLinked: boolean;
  readonly lacks: Lacks;
}

/** What a server cannot do at all, whoever asks: for each of these a sentence that says so. Found out by asking it. */
export type Lacks = { readonly [K in Capability]?: string };

/** What some servers have and others have not. `checkpoints`: to take, restore and delete them. */
export type Capability = 'memoryLimit' | 'checkpoints';
