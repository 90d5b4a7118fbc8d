import type { SnapshotMethods } from '../api';
import type { Feature } from '../common/permissions';
import { FULL_ADMIN } from '../common/privileges';

/**
 * What Pixels does on TrueNAS 25, by the roles that its calls ask for: the `roles` of the methods in 25.04's own list, and in
 * the sources of 25.10. The contract suite tries each with these and with one of them missing.
 * @param snapshots 25.04 has no role for a rollback, so that only who may do everything may do that.
 */
export function features(snapshots: SnapshotMethods): readonly Feature[] {
  const seeing = ['VIRT_GLOBAL_READ', 'VIRT_INSTANCE_READ', 'SNAPSHOT_READ'];
  const changing = [...seeing, 'VIRT_INSTANCE_WRITE'];
  const restoring = snapshots === 'zfs.snapshot' ? [FULL_ADMIN] : ['SNAPSHOT_WRITE'];
  return [
    { title: 'See sandboxes', roles: seeing },
    { title: 'Create, start, stop and destroy', roles: changing },
    {
      title: 'Connect them to the network of the NAS',
      roles: [...changing, 'NETWORK_GENERAL_READ', 'NETWORK_INTERFACE_READ'],
    },
    { title: 'Take and delete checkpoints', roles: [...seeing, 'SNAPSHOT_WRITE', 'SNAPSHOT_DELETE'] },
    { title: 'Restore checkpoints', roles: [...changing, ...restoring] },
    { title: 'Consoles, commands and SSH', roles: seeing, byShell: true },
    { title: 'Set up login and recipes', roles: changing, byShell: true },
    { title: 'Clone', roles: [...changing, 'SNAPSHOT_DELETE', 'SYSTEM_CRON_WRITE'] },
  ];
}
