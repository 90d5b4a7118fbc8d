/** What the server offers, by the names of TrueNAS' own models: read by ./reduceSchemas.mjs. */

/** Methods whose arguments and results have classes of their own, by the class's name without `Args` and `Result`. */
export const common = {
  'auth.generate_token': 'auth.AuthGenerateToken',
  'auth.login_ex': 'auth.AuthLoginEx',
  'auth.login_ex_continue': 'auth.AuthLoginExContinue',
  'auth.login_with_api_key': 'auth.AuthLoginWithApiKey',
  'auth.login_with_token': 'auth.AuthLoginWithToken',
  'auth.logout': 'auth.AuthLogout',
  'auth.me': 'auth.AuthMe',
  'auth.mechanism_choices': 'auth.AuthMechanismChoices',
  'core.bulk': 'core.CoreBulk',
  'core.download': 'core.CoreDownload',
  'core.get_methods': 'core.CoreGetMethods',
  'core.job_abort': 'core.CoreJobAbort',
  'core.job_download_logs': 'core.CoreJobDownloadLogs',
  'core.job_wait': 'core.CoreJobWait',
  'core.ping': 'core.CorePing',
  'core.resize_shell': 'core.CoreResizeShell',
  'core.set_options': 'core.CoreSetOptions',
  'core.subscribe': 'core.CoreSubscribe',
  'core.unsubscribe': 'core.CoreUnsubscribe',
  'cronjob.create': 'cronjob.CronJobCreate',
  'cronjob.delete': 'cronjob.CronJobDelete',
  'cronjob.run': 'cronjob.CronJobRun',
  'cronjob.update': 'cronjob.CronJobUpdate',
  'filesystem.get': 'filesystem.FilesystemGet',
  'filesystem.listdir': 'filesystem.FilesystemListdir',
  'filesystem.stat': 'filesystem.FilesystemStat',
  'network.general.summary': 'network_general.NetworkGeneralSummary',
  'system.info': 'system.SystemInfo',
};
export const snapshots = {
  'pool.snapshot.clone': 'pool_snapshot.PoolSnapshotClone',
  'pool.snapshot.create': 'pool_snapshot.PoolSnapshotCreate',
  'pool.snapshot.delete': 'pool_snapshot.PoolSnapshotDelete',
  'pool.snapshot.hold': 'pool_snapshot.PoolSnapshotHold',
  'pool.snapshot.release': 'pool_snapshot.PoolSnapshotRelease',
  'pool.snapshot.rename': 'pool_snapshot.PoolSnapshotRename',
  'pool.snapshot.rollback': 'pool_snapshot.PoolSnapshotRollback',
  'pool.snapshot.update': 'pool_snapshot.PoolSnapshotUpdate',
};
export const virt = {
  'virt.device.disk_choices': 'virt_device.VirtDeviceDiskChoices',
  'virt.device.nic_choices': 'virt_device.VirtDeviceNicChoices',
  'virt.global.bridge_choices': 'virt_global.VirtGlobalBridgeChoices',
  'virt.global.get_network': 'virt_global.VirtGlobalGetNetwork',
  'virt.global.pool_choices': 'virt_global.VirtGlobalPoolChoices',
  'virt.global.update': 'virt_global.VirtGlobalUpdate',
  'virt.instance.create': 'virt_instance.VirtInstanceCreate',
  'virt.instance.delete': 'virt_instance.VirtInstanceDelete',
  'virt.instance.device_add': 'virt_instance.VirtInstanceDeviceDeviceAdd',
  'virt.instance.device_delete': 'virt_instance.VirtInstanceDeviceDeviceDelete',
  'virt.instance.device_list': 'virt_instance.VirtInstanceDeviceDeviceList',
  'virt.instance.device_update': 'virt_instance.VirtInstanceDeviceDeviceUpdate',
  'virt.instance.image_choices': 'virt_instance.VirtInstanceImageChoices',
  'virt.instance.restart': 'virt_instance.VirtInstanceRestart',
  'virt.instance.start': 'virt_instance.VirtInstanceStart',
  'virt.instance.stop': 'virt_instance.VirtInstanceStop',
  'virt.instance.update': 'virt_instance.VirtInstanceUpdate',
};
export const containers = {
  'container.create': 'container.ContainerCreate',
  'container.delete': 'container.ContainerDelete',
  'container.device.create': 'container_device.ContainerDeviceCreate',
  'container.device.delete': 'container_device.ContainerDeviceDelete',
  'container.device.nic_attach_choices': 'container_device.ContainerDeviceNicAttachChoices',
  'container.device.update': 'container_device.ContainerDeviceUpdate',
  'container.image.query_registry': 'container_image.ContainerImageQueryRegistry',
  'container.pool_choices': 'container.ContainerPoolChoices',
  'container.start': 'container.ContainerStart',
  'container.stop': 'container.ContainerStop',
  'container.update': 'container.ContainerUpdate',
  'lxc.bridge_choices': 'container_config.LXCConfigBridgeChoices',
  'lxc.update': 'container_config.LXCConfigUpdate',
  'zfs.resource.query': 'zfs_resource_crud.ZFSResourceQuery',
  'zfs.resource.snapshot.clone': 'zfs_resource_snapshot.ZFSResourceSnapshotClone',
  'zfs.resource.snapshot.count': 'zfs_resource_snapshot.ZFSResourceSnapshotCount',
  'zfs.resource.snapshot.create': 'zfs_resource_snapshot.ZFSResourceSnapshotCreate',
  'zfs.resource.snapshot.destroy': 'zfs_resource_snapshot.ZFSResourceSnapshotDestroy',
  'zfs.resource.snapshot.hold': 'zfs_resource_snapshot.ZFSResourceSnapshotHold',
  'zfs.resource.snapshot.holds': 'zfs_resource_snapshot.ZFSResourceSnapshotHolds',
  'zfs.resource.snapshot.query': 'zfs_resource_snapshot.ZFSResourceSnapshotQuery',
  'zfs.resource.snapshot.release': 'zfs_resource_snapshot.ZFSResourceSnapshotRelease',
  'zfs.resource.snapshot.rename': 'zfs_resource_snapshot.ZFSResourceSnapshotRename',
  'zfs.resource.snapshot.rollback': 'zfs_resource_snapshot.ZFSResourceSnapshotRollback',
};

/** `X` stands for `X.query [filters, options]` and, with a type of id, for `X.get_instance [id, options]` as well. */
export const commonEntries = {
  'core.get_jobs': ['core.CoreGetJobsItem'],
  cronjob: ['cronjob.CronJobEntry', 'integer'],
  interface: ['interface.InterfaceEntry', 'string'],
};
export const snapshotEntries = { 'pool.snapshot': ['pool_snapshot.PoolSnapshotEntry', 'string'] };
export const virtEntries = { 'virt.instance': ['virt_instance.VirtInstanceEntry', 'string'] };
export const containerEntries = {
  container: ['container.ContainerEntry', 'integer'],
  'container.device': ['container_device.ContainerDeviceEntry', 'integer'],
};

/** `X.config []`. */
export const virtConfigs = { 'virt.global.config': 'virt_global.VirtGlobalEntry' };
export const containerConfigs = { 'lxc.config': 'container_config.LXCConfigEntry' };
