import type { SandboxHost } from '../sandbox/host';
import type { Log } from '../sandbox/log';
import { instanceName } from '../sandbox/name';
import { IncusApi } from './api';
import { checkpoints, createCheckpoint, deleteCheckpoint, lostByRollback } from './checkpoints';
import type { IncusConnection } from './connection';
import { copy, create } from './create';
import { exec } from './exec';
import { putFiles } from './files';
import { gatewayHost } from './gateway';
import { resetIdentity } from './identity';
import { imageFingerprint, localImages } from './images';
import { info } from './info';
import { getMark, getSandbox, SandboxList } from './list';
import { destroy, start, stop } from './power';
import { rollback } from './rollback';
import { updateState } from './updateState';
import { watch } from './watch';

export type { IncusConnection } from './connection';

/**
 * The sandboxes of an Incus server (or of one of its projects). Connects when it is first asked for something, and then
 * keeps its connections.
 * @throws PixelsError `config` when a certificate or key cannot be read.
 */
export function connectIncus(connection: IncusConnection, { log }: { readonly log: Log }): SandboxHost {
  const api = new IncusApi(connection, log);
  const sandboxes = new SandboxList(api);
  return {
    info: (signal) => info(api, signal),
    examine: async (wanted, signal) => (await import('./examine')).examine(api, wanted, signal),
    list: (signal) => sandboxes.load(signal),
    get: (name, signal) => getSandbox(api, name, signal),
    images: (signal) => localImages(api, signal),
    imageFingerprint: (image, signal) => imageFingerprint(api, image, signal),
    create: (spec, run) => create(api, spec, run),
    copy: (spec, run) => copy(api, spec, run),
    resetIdentity: (name, signal) => resetIdentity(api, name, signal),
    putFiles: (name, files, signal) => putFiles(api, name, files, signal),
    start: (name, run) => start(api, name, run),
    stop: (name, how, run) => stop(api, name, how, run),
    // Where Incus' storage shares blocks, it keeps for itself what a clone still needs (`zfs.clone_copy`).
    linkedClones: () => Promise.resolve([]),
    destroy: (name, run) => destroy(api, name, run),
    checkpoints: (name, signal) => checkpoints(api, name, signal),
    labels: async (name, signal) => (await checkpoints(api, name, signal)).map(({ label }) => label),
    createCheckpoint: async (name, label, run, check) => {
      check?.(await getMark(api, name, run?.signal));
      await createCheckpoint(api, name, label, run);
    },
    deleteCheckpoint: (name, label, run) => deleteCheckpoint(api, name, label, run),
    lostByRollback: (name, label, signal) => lostByRollback(api, name, label, signal),
    rollback: (name, label, run) => rollback(api, name, label, run),
    updateState: (name, change, signal) => updateState(api, name, change, signal),
    exec: (name, request, signal) => exec(api, instanceName(name), { name }, request, signal),
    gateway: gatewayHost(api),
    watch: (listener) => watch(api, log, listener),
    close: () => api.close(),
  };
}
