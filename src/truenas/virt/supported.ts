import { PixelsError } from '../../sandbox/errors';
import type { ServerInfo, TrueNasApi } from '../api';

/** The same connection; every call first makes sure, once, that the server has what this driver is made for. */
export function withVirt(api: TrueNasApi): TrueNasApi {
  const check = async (signal?: AbortSignal): Promise<void> => refuseWithoutVirt(await api.server(signal));
  return {
    async server(signal) {
      const server = await api.server(signal);
      refuseWithoutVirt(server);
      return server;
    },
    async snapshotMethods(signal) {
      await check(signal);
      return api.snapshotMethods(signal);
    },
    async call(method, params, result, call) {
      await check(call?.signal);
      return api.call(method, params, result, call);
    },
    async job(method, params, result, call) {
      await check(call?.signal);
      return api.job(method, params, result, call);
    },
    subscribe: (collection, listener) => api.subscribe(collection, listener),
    link: (listener) => api.link(listener),
    shell: (options, signal) => api.shell(options, signal),
    close: () => api.close(),
  };
}

/**
 * 25.04.0 and 25.04.1 had another `virt.instance.create`; before them there was none, and 26 has `container.*` in its place.
 * @throws PixelsError `unsupported`.
 */
export function refuseWithoutVirt({ containers, version }: ServerInfo): void {
  const [, early] = /^TrueNAS-(?:SCALE-)?(25\.04\.[01])(?:\D|$)/.exec(version) ?? [];
  if (containers === 'virt' && early === undefined) return;
  const hint = { hint: 'Pixels works with TrueNAS 25.04.2 and later, with 25.10, and, as an experiment, with 26.' };
  throw new PixelsError('unsupported', `Pixels cannot make sandboxes on ${version.replace('-', ' ')}.`, hint);
}
