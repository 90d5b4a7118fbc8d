import type { Feature } from '../common/permissions';

/**
 * What Pixels does on TrueNAS 26, by the roles that its calls ask for in the sources ([stable/26]). The contract suite tries
 * each with these and with one of them missing.
 */
export function features(): readonly Feature[] {
  const seeing = ['CONTAINER_READ', 'SNAPSHOT_READ'];
  const changing = [...seeing, 'CONTAINER_WRITE'];
  const making = [...changing, 'CONTAINER_DEVICE_WRITE', 'CONTAINER_IMAGE_WRITE', 'LXC_CONFIG_READ'];
  return [
    { title: 'See sandboxes', roles: seeing },
    { title: 'Create, start, stop and destroy', roles: [...making, 'ZFS_RESOURCE_READ'] },
    {
      title: 'Connect them to the network of the NAS',
      roles: [...making, 'NETWORK_GENERAL_READ', 'NETWORK_INTERFACE_READ'],
    },
    { title: 'Take and delete checkpoints', roles: [...seeing, 'SNAPSHOT_WRITE', 'SNAPSHOT_DELETE'] },
    { title: 'Restore checkpoints', roles: [...changing, 'SNAPSHOT_WRITE'] },
    { title: 'Consoles, commands and SSH', roles: changing, byShell: true },
    { title: 'Set up login and recipes', roles: changing, byShell: true },
    {
      title: 'Clone',
      roles: [...changing, 'CONTAINER_DEVICE_WRITE', 'CONTAINER_IMAGE_WRITE', 'SNAPSHOT_DELETE', 'SYSTEM_CRON_WRITE'],
    },
  ];
}
