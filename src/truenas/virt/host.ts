import type { SandboxHost } from '../../sandbox/host';
import type { TrueNasApi } from '../api';
import { undoneWhenCancelled } from '../common/cancel';
import {
  checkpoints,
  createCheckpoint,
  deleteCheckpoint,
  labels,
  lostByRollback,
  rollback,
} from '../common/checkpoints';
import { completeCopy } from '../common/completeCopy';
import { info } from '../common/info';
import type { CommonInstance } from '../common/instances';
import { leftoverCare } from '../common/leftovers';
import { linkedClones } from '../common/linkedClones';
import type { TrueNasHostOptions } from '../common/options';
import { OpenWatches } from '../common/openWatches';
import { OwnEvents } from '../common/ownEvents';
import { MetaWriter } from '../common/update';
import { Watch } from '../common/watch';
import { guestShells } from '../guest';
import { copy } from './copy';
import { create } from './create';
import { openShell } from './exec';
import { ImageList } from './images';
import { instancesOf } from './instances';
import { get, list } from './list';
import { lookout } from './lookout';
import { destroy, start, stop } from './power';
import { withVirt } from './supported';

/** The sandboxes of a TrueNAS 25.04.2 to 25.10, over this connection, which it ends when it is closed. */
export function truenasHost(connection: TrueNasApi, options: TrueNasHostOptions): SandboxHost {
  const { log, linkedClones: copiesAreLinked = false } = options;
  const api = withVirt(connection);
  const images = new ImageList(api);
  const instances = instancesOf(api);
  const writer = new MetaWriter(api, instances);
  const tools = { api, instances, writer };
  const shells = guestShells(openShell(api), log);
  const own = new OwnEvents();
  const watches = new OpenWatches();
  const creating = { nic: options.nic ?? 'auto', pool: options.pool, images, log } as const;
  const copying = { linkedClones: copiesAreLinked, log };
  const lookForLeftovers = leftoverCare(api, instances, log);

  return {
    info: (signal) => info(api, { copiesAreLinked, isExperimental: false, lacks: {} }, signal),
    examine: async (wanted, signal) => (await import('./examine')).examine(api, creating, wanted, signal),
    list: (signal) => {
      const all = list(api, signal);
      lookForLeftovers();
      return all;
    },
    get: (name, signal) => get(api, name, signal),
    images: (signal) => images.load(signal),
    // The image server's names are all that TrueNAS knows.
    imageFingerprint: () => Promise.resolve(undefined),
    create: (spec, run) => {
      const { name } = spec;
      const make = undoneWhenCancelled(
        run?.signal,
        log,
        () => create(api, spec, creating, run),
        () => destroy({ api, log }, name),
      );
      return own.after(name, ['changed'], make);
    },
    copy: (spec, run) => {
      lookForLeftovers();
      const { name } = spec;
      const make = undoneWhenCancelled(
        run?.signal,
        log,
        () => copy(tools, spec, copying, run),
        () => destroy({ api, log }, name),
      );
      return own.after(name, ['changed'], make);
    },
    // A complete copy has no machine-id of its source any more.
    resetIdentity: (name) => completeCopy(tools, name, copying),
    start: (name, run = {}) => {
      const complete = (instance: CommonInstance) => completeCopy(tools, name, copying, run, instance);
      return own.after(name, ['changed'], start(api, name, run, complete));
    },
    stop: async (name, how, run) => {
      await own.after(name, ['changed'], stop(api, name, how, run));
      shells.forget(name);
    },
    linkedClones: (name, signal) => linkedClones(api, instances, name, signal),
    destroy: (name, run) => own.after(name, ['changed'], destroy({ api, log }, name, run)),
    checkpoints: (name, signal) => checkpoints(api, instances, name, signal),
    labels: (name, signal) => labels(api, instances, name, signal),
    createCheckpoint: (name, label, run, check) =>
      own.after(name, ['checkpoints-changed'], createCheckpoint(api, instances, name, label, run, check)),
    deleteCheckpoint: (name, label, run) =>
      own.after(name, ['checkpoints-changed'], deleteCheckpoint(api, instances, name, label, run)),
    rollback: (name, label, run) =>
      own.after(name, ['changed', 'checkpoints-changed'], rollback(api, instances, name, label, run)),
    lostByRollback: (name, label, signal) => lostByRollback(api, instances, name, label, signal),
    updateState: (name, change, signal) => own.after(name, ['changed'], writer.updateState(name, change, signal)),
    exec: (name, request, signal) => shells.exec(name, request, signal),
    watch: (listener) => {
      lookForLeftovers();
      return watches.add(new Watch(api, lookout(api), own, log, listener));
    },
    close: () => {
      watches.closeAll();
      shells.forget();
      api.close();
    },
  };
}
