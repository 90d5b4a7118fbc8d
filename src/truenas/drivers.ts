import { failed } from '../sandbox/check';
import { PixelsError, toPixelsError } from '../sandbox/errors';
import type { Closable, HostEvent, SandboxHost } from '../sandbox/host';
import type { LinkChange, TrueNasApi } from './api';
import { OpenWatches } from './common/openWatches';

/** The two ways of doing it, over one connection. */
export interface Drivers {
  /** 25.04.2 to 25.10; says of older ones that they cannot. */
  readonly virt: SandboxHost;
  /** 26 and later. */
  readonly container: SandboxHost;
}

/**
 * The driver that fits the server, whichever that is at each call: the connection finds it out once, when it is opened,
 * and a NAS may have been updated before the next one.
 */
export function fittingDriver(api: TrueNasApi, drivers: Drivers): SandboxHost {
  const driver = async (signal?: AbortSignal): Promise<SandboxHost> =>
    drivers[(await api.server(signal)).containers === 'container' ? 'container' : 'virt'];
  const watches = new OpenWatches();

  return {
    info: async (signal) => (await driver(signal)).info(signal),
    examine: async (wanted, signal) => {
      const fitting = await driver(signal).catch(toPixelsError);
      if (!(fitting instanceof PixelsError)) return fitting.examine(wanted, signal);
      if (fitting.kind === 'cancelled') throw fitting;
      return [{ title: 'Server', ...failed(fitting) }];
    },
    list: async (signal) => (await driver(signal)).list(signal),
    get: async (name, signal) => (await driver(signal)).get(name, signal),
    images: async (signal) => (await driver(signal)).images(signal),
    imageFingerprint: async (image, signal) => (await driver(signal)).imageFingerprint(image, signal),
    create: async (spec, run) => (await driver(run?.signal)).create(spec, run),
    copy: async (spec, run) => (await driver(run?.signal)).copy(spec, run),
    resetIdentity: async (name, signal) => (await driver(signal)).resetIdentity(name, signal),
    start: async (name, run) => (await driver(run?.signal)).start(name, run),
    stop: async (name, how, run) => (await driver(run?.signal)).stop(name, how, run),
    linkedClones: async (name, signal) => (await driver(signal)).linkedClones(name, signal),
    destroy: async (name, run) => (await driver(run?.signal)).destroy(name, run),
    checkpoints: async (name, signal) => (await driver(signal)).checkpoints(name, signal),
    labels: async (name, signal) => (await driver(signal)).labels(name, signal),
    createCheckpoint: async (name, label, run, check) =>
      (await driver(run?.signal)).createCheckpoint(name, label, run, check),
    deleteCheckpoint: async (name, label, run) => (await driver(run?.signal)).deleteCheckpoint(name, label, run),
    rollback: async (name, label, run) => (await driver(run?.signal)).rollback(name, label, run),
    lostByRollback: async (name, label, signal) => (await driver(signal)).lostByRollback(name, label, signal),
    updateState: async (name, change, signal) => (await driver(signal)).updateState(name, change, signal),
    exec: async (name, request, signal) => (await driver(signal)).exec(name, request, signal),
    watch: (listener) => watches.add(new FittingWatch(api, driver, listener)),
    close: () => {
      watches.closeAll();
      drivers.virt.close();
      drivers.container.close();
    },
  };
}

/** A watch of the driver that fits, from the moment on that this is known. Until then it says itself what is wrong. */
class FittingWatch implements Closable {
  private readonly link: Closable;
  private watched: SandboxHost | undefined;
  private watch: Closable | undefined;
  private closed = false;

  constructor(
    api: TrueNasApi,
    private readonly driver: () => Promise<SandboxHost>,
    private readonly listener: (event: HostEvent) => void,
  ) {
    this.link = api.link((change) => void this.onLink(change));
  }

  close(): void {
    this.closed = true;
    this.link.close();
    this.watch?.close();
  }

  private async onLink(change: LinkChange): Promise<void> {
    try {
      if (change.kind === 'disconnected') throw change.error;
      const fitting = await this.driver();
      if (this.closed || fitting === this.watched) return;
      this.watch?.close();
      this.watched = fitting;
      this.watch = fitting.watch(this.listener);
    } catch (error) {
      if (this.closed || this.watched !== undefined) return;
      this.listener({ kind: 'disconnected', error: toPixelsError(error) });
    }
  }
}
