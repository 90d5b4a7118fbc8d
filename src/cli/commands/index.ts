import type { CommandGroup } from '../command';
import { buildBase } from './base/build';
import { deleteBase } from './base/delete';
import { listBases } from './base/list';
import { rebuildBase } from './base/rebuild';
import { createCheckpoint } from './checkpoint/create';
import { deleteCheckpoint } from './checkpoint/delete';
import { listCheckpoints } from './checkpoint/list';
import { restoreCheckpoint } from './checkpoint/restore';
import { clone } from './clone';
import { console } from './console';
import { create } from './create';
import { destroy } from './destroy';
import { doctor } from './doctor';
import { exec } from './exec';
import { finish } from './finish';
import { list } from './list';
import { allowEgress } from './network/allow';
import { denyEgress } from './network/deny';
import { logEgress } from './network/log';
import { refreshEgress } from './network/refresh';
import { setEgress } from './network/set';
import { showEgress } from './network/show';
import { provision } from './provision';
import { restart } from './restart';
import { sessions } from './sessions';
import { sshConfig } from './sshConfig';
import { start } from './start';
import { status } from './status';
import { stop } from './stop';

const checkpoint: CommandGroup = {
  name: 'checkpoint',
  alias: 'cp',
  summary: 'Take and restore checkpoints of a sandbox',
  commands: [createCheckpoint, listCheckpoints, restoreCheckpoint, deleteCheckpoint],
};

const base: CommandGroup = {
  name: 'base',
  summary: 'Keep provisioned machines that new sandboxes are cloned from',
  commands: [listBases, buildBase, rebuildBase, deleteBase],
};

const network: CommandGroup = {
  name: 'network',
  summary: 'Choose what a sandbox may reach',
  commands: [showEgress, setEgress, allowEgress, denyEgress, logEgress, refreshEgress],
};

/** Everything that `pixels` can do, in the order in which help lists it. */
export const PIXELS: CommandGroup = {
  name: 'pixels',
  summary: 'Disposable Linux machines for AI coding agents',
  commands: [
    create,
    clone,
    start,
    stop,
    restart,
    destroy,
    list,
    status,
    provision,
    console,
    sessions,
    exec,
    checkpoint,
    base,
    network,
    finish,
    sshConfig,
    doctor,
  ],
};
