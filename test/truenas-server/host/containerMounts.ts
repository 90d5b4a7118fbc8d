import type { Nas } from '../nas';
import type { ContainerMount } from './hostFiles';

/**
 * 25.x: below Incus' own directory and only while the container runs, since the data sets have `canmount=noauto`. 26: always, below
 * /mnt, and it is the root file system itself.
 */
export function containerMounts({
  profile,
  incusPool,
  pool,
  instances,
}: Pick<Nas, 'profile' | 'incusPool' | 'pool' | 'instances'>): ContainerMount {
  const { layout } = pool;
  const is26 = profile === '26.0';
  return {
    below: is26
      ? `/mnt/.truenas_containers/${layout.pool}/containers`
      : `/var/lib/incus/storage-pools/${incusPool}/containers`,
    async find(name: string): Promise<string | null> {
      const dataset = layout.datasetOf(name);
      if (name === '' || layout.instanceOf(dataset) === null || !pool.has(dataset)) return null;
      return is26 || (await instances.isRunning(name)) ? layout.mountedDirectory(dataset) : null;
    },
  };
}
