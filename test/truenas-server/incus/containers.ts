import { randomBytes } from 'node:crypto';
import { lstatSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CallError, notFound } from '../rpc/errors';
import type { ZfsPool } from '../zfs/pool';
import type { IncusInstance } from './instanceEntry';
import type { Instances } from './instances';

/** Where an instance keeps what 26's database knows of a container and Incus does not. */
const RECORD = 'user.nas.container';

export interface ContainerDevice {
  readonly id: number;
  readonly attributes: Readonly<Record<string, unknown>> & { readonly dtype: string };
}

/** 26's own fields; the rest of `ContainerEntry` is made of them and of the instance. */
export interface ContainerFields {
  readonly uuid: string;
  readonly description: string;
  readonly cpuset: string | null;
  readonly autostart: boolean;
  readonly time: string;
  readonly shutdown_timeout: number;
  readonly init: string;
  readonly initdir: string | null;
  readonly initenv: Readonly<Record<string, string>>;
  readonly inituser: string | null;
  readonly initgroup: string | null;
  readonly idmap: { readonly type: string; readonly slice?: number | null } | null;
  readonly capabilities_policy: string;
  readonly capabilities_state: Readonly<Record<string, boolean>>;
}

export interface Container {
  readonly id: number;
  readonly name: string;
  readonly fields: ContainerFields;
  readonly devices: readonly ContainerDevice[];
  readonly instance: IncusInstance;
}

/** 26's containers: instances of Incus with a record. Their ids are numbers. */
export class Containers {
  private lastId = 0;
  private lastDeviceId = 0;

  constructor(
    private readonly instances: Instances,
    private readonly pool: ZfsPool,
    /** The managed bridge that every NIC is put on, for the reasons in ./devices.ts. */
    private readonly network: string,
  ) {}

  async all(): Promise<Container[]> {
    const found = (await this.instances.all()).filter(({ config }) => config[RECORD] !== undefined);
    return found.map((instance) => {
      const record = JSON.parse(instance.config[RECORD] ?? '') as Pick<Container, 'id' | 'fields' | 'devices'>;
      return { ...record, name: instance.name, instance };
    });
  }

  async get(id: number): Promise<Container> {
    const found = (await this.all()).find((container) => container.id === id);
    if (!found) throw notFound(`Container ${id}`);
    return found;
  }

  async nextId(): Promise<number> {
    this.lastId = Math.max(this.lastId, ...(await this.all()).map(({ id }) => id)) + 1;
    return this.lastId;
  }

  async nextDeviceId(): Promise<number> {
    const known = (await this.all()).flatMap(({ devices }) => devices.map(({ id }) => id));
    this.lastDeviceId = Math.max(this.lastDeviceId, ...known) + 1;
    return this.lastDeviceId;
  }

  /** What the instance of such a container has in Incus. */
  configOf(id: number, fields: ContainerFields, devices: readonly ContainerDevice[]): Record<string, string> {
    const { initenv, cpuset, idmap } = fields;
    const environment = Object.entries(initenv).map(([key, value]) => [`environment.${key}`, value]);
    return {
      [RECORD]: JSON.stringify({ id, fields, devices }),
      'security.privileged': String(idmap === null),
      'security.idmap.isolated': String(idmap?.type === 'ISOLATED'),
      // A single number would be a count there.
      ...(cpuset === null ? {} : { 'limits.cpu': /^\d+$/.test(cpuset) ? `${cpuset}-${cpuset}` : cpuset }),
      ...(Object.fromEntries(environment) as Record<string, string>),
    };
  }

  async write(container: Container, changes: Partial<Pick<Container, 'fields' | 'devices'>>): Promise<void> {
    const { id, name, instance } = container;
    const { fields, devices } = { ...container, ...changes };
    const old = Object.keys(instance.config).filter((key) => key.startsWith('environment.') || key === 'limits.cpu');
    const config = { ...Object.fromEntries(old.map((key) => [key, null])), ...this.configOf(id, fields, devices) };
    const own = Object.entries(instance.devices).filter(([, device]) => device.type === 'disk' && device.path === '/');
    await this.instances.change(name, { config, devices: { ...Object.fromEntries(own), ...this.nics(devices) } });
  }

  /** Without one, the profile's own stays. */
  private nics(devices: readonly ContainerDevice[]): Record<string, Record<string, string>> {
    const nics = devices.filter(({ attributes }) => attributes.dtype === 'NIC');
    return Object.fromEntries(
      nics.map(({ attributes }, index) => [
        `eth${index}`,
        { type: 'nic', network: this.network, hwaddr: String(attributes.mac) },
      ]),
    );
  }

  /** Gives an instance without content the data set of that name that is already there. */
  async createAround(name: string, create: () => Promise<void>): Promise<void> {
    const directory = this.pool.layout.directoryOf(this.pool.layout.datasetOf(name));
    await this.pool.aside(directory, create);
  }

  /** As MW:plugins/container/lifecycle.py at each start, never through a link that the container left there. */
  writeHostname(name: string): void {
    const etc = path.join(this.pool.layout.mountedDirectory(this.pool.layout.datasetOf(name)), 'etc');
    if (!lstatSync(etc, { throwIfNoEntry: false })?.isDirectory()) throw new CallError(`${name} has no /etc`);
    const files = {
      hostname: `${name}\n`,
      hosts: `127.0.0.1\tlocalhost\n127.0.1.1\t${name}\n::1\tlocalhost ip6-localhost ip6-loopback\n`,
    };
    for (const [file, text] of Object.entries(files)) {
      rmSync(path.join(etc, file), { force: true });
      writeFileSync(path.join(etc, file), text);
    }
  }
}

/** In the range that TrueNAS gives to its virtual machines. */
export function newMac(): string {
  return `00:a0:98:${[...randomBytes(3)].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
}
