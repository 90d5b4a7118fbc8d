import type { Profile } from '../interface';

/** Roles by what else they include, those that methods here ask for, of all releases (MW:role.py `ROLES`). */
const COMMON: Readonly<Record<string, readonly string[]>> = {
  DATASET_READ: [],
  DATASET_WRITE: ['DATASET_READ'],
  FILESYSTEM_ATTRS_READ: [],
  FILESYSTEM_ATTRS_WRITE: ['FILESYSTEM_ATTRS_READ'],
  NETWORK_GENERAL_READ: [],
  NETWORK_GENERAL_WRITE: ['NETWORK_GENERAL_READ'],
  NETWORK_INTERFACE_READ: [],
  NETWORK_INTERFACE_WRITE: ['NETWORK_INTERFACE_READ'],
  SNAPSHOT_READ: [],
  SNAPSHOT_WRITE: ['SNAPSHOT_READ'],
  SNAPSHOT_DELETE: [],
  SYSTEM_CRON_READ: [],
  SYSTEM_CRON_WRITE: ['SYSTEM_CRON_READ'],
};
const VIRT: typeof COMMON = {
  VIRT_GLOBAL_READ: [],
  VIRT_GLOBAL_WRITE: ['VIRT_GLOBAL_READ'],
  VIRT_INSTANCE_READ: [],
  VIRT_INSTANCE_WRITE: ['VIRT_INSTANCE_READ'],
  VIRT_INSTANCE_DELETE: [],
};
const CONTAINER: typeof COMMON = {
  CONTAINER_READ: [],
  CONTAINER_WRITE: ['CONTAINER_READ'],
  CONTAINER_DEVICE_READ: [],
  CONTAINER_DEVICE_WRITE: ['CONTAINER_DEVICE_READ'],
  CONTAINER_IMAGE_READ: [],
  CONTAINER_IMAGE_WRITE: ['CONTAINER_IMAGE_READ'],
  LXC_CONFIG_READ: [],
  LXC_CONFIG_WRITE: ['LXC_CONFIG_READ'],
  ZFS_RESOURCE_READ: [],
};

const BY_PROFILE: Record<Profile, typeof COMMON> = {
  '25.04.2': { ...COMMON, ...VIRT },
  '25.10.5': { ...COMMON, ...VIRT },
  '26.0': { ...COMMON, ...CONTAINER },
};

/** May call every method. */
export const FULL_ADMIN = 'FULL_ADMIN';

/** The roles of one release. */
export class Roles {
  private readonly includes: ReadonlyMap<string, readonly string[]>;

  constructor(profile: Profile) {
    const single = Object.entries(BY_PROFILE[profile]);
    const reading = single.map(([role]) => role).filter((role) => role.endsWith('_READ'));
    this.includes = new Map([
      ...single,
      ['READONLY_ADMIN', reading],
      ['SHARING_ADMIN', ['READONLY_ADMIN', 'DATASET_WRITE', 'FILESYSTEM_ATTRS_WRITE']],
      ['REPLICATION_ADMIN', ['SNAPSHOT_WRITE']],
    ]);
  }

  /**
   * Everything that these roles come to, as a user has it (MW:role.py `roles_for_role`). A privilege cannot be given a role
   * that the release does not know.
   */
  expanded(granted: readonly string[]): ReadonlySet<string> {
    const all = new Set<string>();
    const add = (role: string): void => {
      const included = role === FULL_ADMIN ? [...this.includes.keys()] : this.includes.get(role);
      if (included === undefined) throw new Error(`privilege_create.roles: Invalid role ${role}`);
      if (all.has(role)) return;
      all.add(role);
      included.forEach(add);
    };
    granted.forEach(add);
    return all;
  }
}
