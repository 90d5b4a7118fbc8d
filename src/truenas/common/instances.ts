import type { SandboxName } from '../../sandbox/name';
import type { SandboxStatus } from '../../sandbox/sandbox';

/** An instance of `virt.*` or a container of `container.*`, as checkpoints, copies and the state see it. */
export interface CommonInstance {
  /** By which the server's methods know it: its name on 25.x, a number on 26. */
  readonly id: string | number;
  /** With its prefix: `px-web`. */
  readonly name: string;
  readonly status: SandboxStatus;
  /** The one that its root filesystem is in. */
  readonly dataset: string;
  /** Of its init. Pixels keeps its own state in there, see ../meta.ts. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What the two kinds differ in, for everything that is done to both in the same way. */
export interface Instances {
  /** The directory of the root filesystem in an instance's dataset. */
  readonly rootDirectory: 'rootfs' | '.';

  /** Those that are sandboxes. */
  all(signal?: AbortSignal): Promise<readonly CommonInstance[]>;

  /** @throws PixelsError `not-found`. */
  read(name: SandboxName, signal?: AbortSignal): Promise<CommonInstance>;

  /** The environment of its init becomes this one, whole. */
  replaceEnvironment(
    name: SandboxName,
    id: CommonInstance['id'],
    environment: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<void>;

  /** Full names of those snapshots of all sandboxes whose part after the `@` begins with a regular expression. */
  snapshots(pattern: string, signal?: AbortSignal): Promise<readonly string[]>;
}
