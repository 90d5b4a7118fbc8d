import path from 'node:path';
import type { Profile } from '../interface';

/**
 * Where the data sets that clients see are on the btrfs file system of the Incus pool: a container's is Incus' own subvolume, everything
 * else is beside Incus' tree, in a directory of this project.
 */
export class PoolLayout {
  /** The data set whose children are the containers. */
  readonly containers: string;
  /** The mountpoint of the Incus pool. */
  readonly mountpoint: string;
  /** Where snapshots and other data sets are kept. */
  readonly ownDirectory: string;

  constructor(
    readonly pool: string,
    private readonly place: { profile: Profile; socket: string; incusPool: string; project: string },
  ) {
    const { profile, socket, incusPool, project } = place;
    this.containers = `${pool}/${profile === '26.0' ? '.truenas_containers' : '.ix-virt'}/containers`;
    this.mountpoint = path.join(path.dirname(socket), 'storage-pools', incusPool);
    this.ownDirectory = path.join(this.mountpoint, 'pixels-nas', project);
  }

  /** The data sets that only hold others. */
  get parents(): readonly string[] {
    return [this.pool, path.posix.dirname(this.containers), this.containers];
  }

  datasetOf(instance: string): string {
    return `${this.containers}/${instance}`;
  }

  /** The instance whose data set it is, which need not exist; null for any other. */
  instanceOf(dataset: string): string | null {
    const name = dataset.startsWith(`${this.containers}/`) ? dataset.slice(this.containers.length + 1) : '';
    return name === '' || name.includes('/') ? null : name;
  }

  directoryOf(dataset: string): string {
    const instance = this.instanceOf(dataset);
    if (instance === null) return path.join(this.ownDirectory, 'datasets', encodeURIComponent(dataset));
    return path.join(this.mountpoint, 'containers', `${this.volumePrefix}${instance}`);
  }

  /** Incus puts it before the names of the volumes of every project but the default one. */
  get volumePrefix(): string {
    return this.place.project === 'default' ? '' : `${this.place.project}_`;
  }

  snapshotDirectory(id: string): string {
    return path.join(this.ownDirectory, 'snapshots', encodeURIComponent(id));
  }

  /** What one sees where the data set is mounted: on 26 that is the root file system itself, on 25.x it has a directory `rootfs`. */
  mountedDirectory(dataset: string): string {
    const directory = this.directoryOf(dataset);
    return this.place.profile === '26.0' && this.instanceOf(dataset) !== null
      ? path.join(directory, 'rootfs')
      : directory;
  }
}
