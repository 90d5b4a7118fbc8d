// The tunnel that ssh runs for a sandbox; with what it imports it is copied to ~/.ssh/pixels.
import type { IncusServer, TrueNasServer } from './config';
import { silentLog as log } from './sandbox/log';
import { runTunnel } from './ssh/runTunnel';

runTunnel({
  async open(target) {
    if (target.kind === 'truenas') return openTrueNas(target as unknown as TrueNasServer);
    const [{ readIncusServer }, { connectIncus }] = await Promise.all([
      import('./config/incusServer'),
      import('./incus'),
    ]);
    return connectIncus(await readIncusServer(target as unknown as IncusServer), { log });
  },
  start: async (host, name, signal) => (await import('./app/guardedStart')).guardedStart(host, name, signal),
});

async function openTrueNas(server: TrueNasServer) {
  const { TUNNEL_KEY_VARIABLE, openTrueNas } = await import('./app/trueNas');
  // The editor keeps the key among its secrets and hands it down; without an editor it is where the command finds it.
  const apiKey = process.env[TUNNEL_KEY_VARIABLE] || (await keyOfCommand());
  return openTrueNas(server, { apiKey, log });
}

async function keyOfCommand(): Promise<string | undefined> {
  const { loadConfig } = await import('./config');
  return (await loadConfig()).config.truenas.apiKey;
}
