import { readAuthorities, type TrueNasServer, type TrueNasTrust } from '../config';
import { PixelsError } from '../sandbox/errors';
import type { SandboxHost } from '../sandbox/host';
import {
  connectTrueNasHost,
  parseTrueNasHost,
  type Endpoint,
  type TrueNasHostOptions,
  type TrueNasTarget,
} from '../truenas';

export { parseTrueNasHost, placeOf, probeServer, type ServerProbe } from '../truenas';
export type { TrueNasTrust as Trust } from '../config';

/** In the environment of an ssh that the editor starts: the API key for the tunnel. */
export const TUNNEL_KEY_VARIABLE = 'PIXELS_TUNNEL_API_KEY';

export interface TrueNasOptions extends TrueNasHostOptions {
  readonly apiKey: string | undefined;
}

/**
 * The sandboxes of this TrueNAS. Nothing is connected yet.
 * @throws PixelsError `config` when the address, the key or the trust in its certificate cannot be used.
 */
export async function openTrueNas(server: TrueNasServer, { apiKey, ...options }: TrueNasOptions): Promise<SandboxHost> {
  const endpoint = endpointOf(server);
  if (apiKey === undefined) {
    throw new PixelsError('config', `There is no API key for ${server.username} on ${endpoint.host}.`, {
      hint: 'Run "Pixels: Connect to TrueNAS…" in the editor, or set PIXELS_TRUENAS_API_KEY.',
    });
  }
  const target: TrueNasTarget = {
    ...endpoint,
    username: server.username,
    apiKey,
    trust: await trustOf(server.trust),
  };
  return connectTrueNasHost(target, options);
}

/** Where the configured TrueNAS is. @throws PixelsError `config`. */
export function endpointOf({ host, port }: Pick<TrueNasServer, 'host' | 'port'>): Endpoint {
  const endpoint = parseTrueNasHost(host);
  return { ...endpoint, port: port ?? endpoint.port };
}

async function trustOf(trust: TrueNasTrust): Promise<TrueNasTarget['trust']> {
  return trust.kind === 'ca' ? { kind: 'ca', pem: await readAuthorities(trust.file) } : trust;
}
