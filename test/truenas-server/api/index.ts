import type { Nas } from '../nas';
import type { MethodTable } from '../rpc/method';
import { authMethods } from './auth';
import { containerMethods } from './containers';
import { coreMethods } from './core';
import { cronMethods } from './cronjob';
import { filesystemMethods } from './filesystem';
import { lxcMethods } from './lxc';
import { networkMethods } from './network';
import { snapshotMethods } from './snapshots';
import { systemMethods } from './system';
import { virtDeviceMethods } from './virtDevices';
import { virtGlobalMethods } from './virtGlobal';
import { virtInstanceMethods } from './virtInstance';
import { zfsResourceMethods } from './zfsResource';

/** All that any release has; which of it this one offers, its schemas say. */
export function methodsOf(nas: Nas): MethodTable {
  return {
    ...authMethods(nas),
    ...containerMethods(nas),
    ...coreMethods(nas),
    ...cronMethods(nas),
    ...filesystemMethods(nas),
    ...lxcMethods(nas),
    ...networkMethods(nas),
    ...snapshotMethods(nas),
    ...systemMethods(nas),
    ...virtDeviceMethods(nas),
    ...virtGlobalMethods(nas),
    ...virtInstanceMethods(nas),
    ...zfsResourceMethods(nas),
  };
}
