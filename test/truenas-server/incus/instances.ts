import { CallError, notFound } from '../rpc/errors';
import type { Misbehaviour } from '../misbehaviour';
import type { IncusClient } from './incusClient';
import type { IncusInstance } from './instanceEntry';

interface Unreadable {
  readonly config: null;
}

/** The containers of the NAS: instances of one Incus project. */
export class Instances {
  private readonly startedAt = new Map<string, number>();

  constructor(
    readonly incus: IncusClient,
    private readonly misbehave: Misbehaviour,
  ) {}

  /** Without those that are being removed at this moment: of them Incus tells hardly more than the name. */
  async all(): Promise<IncusInstance[]> {
    const listed = (await this.incus.call('GET', '/1.0/instances?recursion=2')) as (IncusInstance | Unreadable)[];
    return listed.filter((each) => each.config !== null);
  }

  async find(name: string): Promise<IncusInstance | undefined> {
    return (await this.incus.find(`${at(name)}?recursion=1`)) as IncusInstance | undefined;
  }

  /** Throws InstanceNotFound. */
  async get(name: string): Promise<IncusInstance> {
    const found = await this.find(name);
    if (!found) throw notFound(`VirtInstance ${name}`);
    return found;
  }

  async isRunning(name: string): Promise<boolean> {
    return ((await this.incus.find(at(name))) as { status: string } | undefined)?.status === 'Running';
  }

  /** Whether DHCP, made slow on request, has not answered yet. */
  hidesAddresses(name: string): boolean {
    return Date.now() - (this.startedAt.get(name) ?? 0) < this.misbehave.slowDhcpMs;
  }

  async create(order: NewInstance, progress: (text: string) => void): Promise<void> {
    const target = (await this.incus.find(`/1.0/images/aliases/${encodeURIComponent(order.image)}`)) as
      { target: string } | undefined;
    if (!target) {
      // What incusd says of an alias that the image server does not have.
      const text = `The requested image couldn't be found for fingerprint "${order.image}"`;
      throw new CallError(`Failed getting remote image info: Failed getting image: ${text}`);
    }
    const { name, config, devices } = order;
    const source = { type: 'image', fingerprint: target.target };
    const body = { name, type: 'container', ephemeral: false, config, devices, source, start: false };
    await this.incus.run('POST', '/1.0/instances', body, (metadata) => {
      const text = metadata.create_instance_from_image_unpack_progress ?? metadata.download_progress;
      if (typeof text === 'string') progress(text);
    });
  }

  async start(name: string): Promise<void> {
    this.startedAt.set(name, Date.now());
    await this.incus.run('PUT', `${at(name)}/state`, { action: 'start' });
  }

  async stop(name: string, { timeout, force }: { timeout: number; force: boolean }): Promise<void> {
    await this.incus.run('PUT', `${at(name)}/state`, { action: 'stop', timeout, force });
  }

  /** `config: null` removes a key. */
  async change(name: string, changes: Changes): Promise<void> {
    const { config, devices } = await this.get(name);
    const changed = Object.entries({ ...config, ...changes.config }).filter(([, value]) => value !== null);
    const body = { config: Object.fromEntries(changed), devices: { ...(changes.devices ?? devices) } };
    await this.incus.run('PUT', at(name), { ...body, profiles: ['default'], ephemeral: false });
  }

  async rename(name: string, to: string): Promise<void> {
    await this.incus.run('POST', at(name), { name: to });
  }

  async delete(name: string): Promise<void> {
    await this.incus.run('DELETE', at(name));
  }
}

export interface NewInstance {
  readonly name: string;
  readonly image: string;
  readonly config: Readonly<Record<string, string>>;
  readonly devices: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface Changes {
  readonly config?: Readonly<Record<string, string | null>>;
  readonly devices?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

function at(name: string): string {
  return `/1.0/instances/${encodeURIComponent(name)}`;
}
