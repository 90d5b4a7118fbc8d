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
import { Addresses } from './addresses';
import { instancesOf } from './containers';
import { copy } from './copy';
import { create } from './create';
import { openShell } from './exec';
import { Registry } from './images';
import { lacksOf } from './lacks';
import { get, list } from './list';
import { lookout } from './lookout';
import { destroy, start, stop } from './power';
import { refuseProtected } from './probe';

/**
 * The sandboxes of a TrueNAS 26, over this connection, which it ends when it is closed. Experimental: made after the
 * sources of the release candidate, and tried on nothing but a test server.
 */
export function containerHost(api: TrueNasApi, options: TrueNasHostOptions): SandboxHost {
  const { log, linkedClones: copiesAreLinked = false } = options;
  const registry = new Registry(api);
  const instances = instancesOf(api);
  const writer = new MetaWriter(api, instances);
  const tools = { api, instances, writer, registry };
  const shells = guestShells(openShell(api), log);
  const addresses = new Addresses(shells, log);
  const own = new OwnEvents();
  const watches = new OpenWatches();
  const creating = { nic: options.nic ?? 'auto', pool: options.pool, registry, log } as const;
  const copying = { linkedClones: copiesAreLinked, log };
  const lacks = lacksOf(api);
  const lookForLeftovers = leftoverCare(api, instances, log);

  return {
    info: async (signal) => info(api, { copiesAreLinked, isExperimental: true, lacks: await lacks(signal) }, signal),
    examine: async (wanted, signal) => (await import('./examine')).examine(api, creating, wanted, signal),
    list: (signal) => {
      const all = list(api, addresses, signal);
      lookForLeftovers();
      return all;
    },
    get: (name, signal) => get(api, addresses, name, signal),
    images: (signal) => registry.list(signal),
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
      return own.after(name, ['changed'], start(tools, name, complete, run));
    },
    stop: async (name, how, run) => {
      await own.after(name, ['changed'], stop(tools, name, how, run));
      shells.forget(name);
      addresses.forget(name);
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
    // A restore asks this before it stops the sandbox, which would be for nothing where it cannot be done.
    lostByRollback: async (name, label, signal) => {
      const lost = await lostByRollback(api, instances, name, label, signal);
      const { dataset } = await instances.read(name, signal);
      await refuseProtected(api, dataset, { about: { sandbox: name, checkpoint: label }, signal });
      return lost;
    },
    updateState: (name, change, signal) => own.after(name, ['changed'], writer.updateState(name, change, signal)),
    exec: (name, request, signal) => shells.exec(name, request, signal),
    watch: (listener) => {
      lookForLeftovers();
      return watches.add(new Watch(api, lookout(api, addresses), own, log, listener));
    },
    close: () => {
      watches.closeAll();
      shells.forget();
      api.close();
    },
  };
}
