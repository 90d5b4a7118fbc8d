import { cancelled, PixelsError } from '../../../src/sandbox/errors';
import type { Closable, HostEvent, SandboxHost } from '../../../src/sandbox/host';
import type { CheckpointLabel, SandboxName } from '../../../src/sandbox/name';
import type { ProvisionProgress, ProvisionRecord } from '../../../src/sandbox/provisioning';
import type { Checkpoint, Lacks, Sandbox, SandboxState, SandboxStatus } from '../../../src/sandbox/sandbox';

export interface FollowedRecipe {
  readonly say: (progress: ProvisionProgress) => void;
  readonly end: (progress: ProvisionProgress | undefined) => void;
  readonly fail: (error: Error) => void;
}

/** A server in memory that counts what it is asked: enough for the tree, which only reads. */
export class FakeHost {
  readonly sandboxes = new Map<string, Sandbox>();
  readonly labels = new Map<string, string[]>();
  lacks: Lacks = {};
  requests = 0;
  failure: Error | undefined;
  private readonly listeners = new Set<(event: HostEvent) => void>();

  get watchers(): number {
    return this.listeners.size;
  }

  /** Sessions that follow a recipe now. */
  readonly followed = new Map<string, FollowedRecipe>();

  put(
    name: string,
    status: SandboxStatus = 'running',
    labels: readonly string[] = [],
    outcome?: ProvisionRecord['outcome'],
  ): void {
    const record: ProvisionRecord | undefined = outcome && { recipe: 'agent', hash: 'x', outcome };
    const state: SandboxState = record === undefined ? {} : { provision: JSON.stringify(record) };
    this.labels.set(name, [...labels]);
    this.sandboxes.set(name, {
      name: name as SandboxName,
      status,
      addresses: ['10.0.0.5'],
      cpu: undefined,
      memoryMiB: undefined,
      createdAt: new Date(0),
      image: undefined,
      checkpointCount: labels.length,
      state,
      mark: undefined,
    });
  }

  /** As `changeEgress` leaves it in its state. */
  restrict(name: string, egress: string): void {
    const sandbox = this.sandboxes.get(name)!;
    this.sandboxes.set(name, { ...sandbox, state: { ...sandbox.state, egress } });
  }

  tell(event: HostEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  changed(name: string): void {
    this.tell({ kind: 'changed', name: name as SandboxName });
  }

  /** As the use case of that name: one session until it ends, breaks or is aborted. */
  readonly provisioner = {
    follow: (name: SandboxName, onProgress: (progress: ProvisionProgress) => void, signal?: AbortSignal) =>
      new Promise<ProvisionProgress | undefined>((resolve, reject) => {
        const over = <T>(settle: (value: T) => void) => {
          return (value: T) => {
            if (this.followed.get(name) === session) this.followed.delete(name);
            settle(value);
          };
        };
        const session: FollowedRecipe = { say: onProgress, end: over(resolve), fail: over(reject) };
        if (this.followed.has(name)) throw new Error(`${name} is followed twice`);
        this.followed.set(name, session);
        signal?.addEventListener('abort', () => session.fail(cancelled()));
      }),
  };

  asHost(): SandboxHost {
    const ask = <T>(answer: () => T): Promise<T> => {
      this.requests++;
      return this.failure === undefined ? new Promise((resolve) => resolve(answer())) : Promise.reject(this.failure);
    };
    const host = {
      info: () => ask(() => ({ lacks: this.lacks })),
      list: () => ask(() => [...this.sandboxes.values()]),
      get: (name: string) =>
        ask(() => {
          const sandbox = this.sandboxes.get(name);
          if (sandbox === undefined) throw new PixelsError('not-found', `There is no ${name}.`);
          return sandbox;
        }),
      checkpoints: (name: string) =>
        ask((): Checkpoint[] =>
          (this.labels.get(name) ?? []).map((label) => ({
            label: label as CheckpointLabel,
            createdAt: new Date(0),
            sizeBytes: undefined,
          })),
        ),
      watch: (listener: (event: HostEvent) => void): Closable => {
        this.listeners.add(listener);
        queueMicrotask(() => listener({ kind: 'connected' }));
        return { close: () => this.listeners.delete(listener) };
      },
      close: () => undefined,
    };
    return host as unknown as SandboxHost;
  }
}
