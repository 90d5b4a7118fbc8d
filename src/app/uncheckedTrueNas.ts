import { trueNasServer, type Config } from '../config';
import type { Endpoint } from '../truenas';
import { endpointOf, placeOf, probeServer } from './trueNas';

/** A person who waits for a command does not wait long for this. */
const LOOK_LIMIT_MS = 3_000;

/**
 * The TrueNAS in use when nobody checks its certificate: `truenas.insecure_skip_verify` is set, and no pin and no file of
 * authorities that would win over it. @throws PixelsError `config`.
 */
export function uncheckedTrueNas(config: Config): Endpoint | undefined {
  if (config.backend !== 'truenas') return undefined;
  const server = trueNasServer(config);
  return server.trust.kind === 'insecure' ? endpointOf(server) : undefined;
}

/**
 * What to say of it in a terminal, line by line. Looks at the certificate, so that the last one is the line for the
 * configuration file, as it has to be there; when the server is not to be reached, there is no such line.
 * @param file the configuration file.
 */
export async function uncheckedWarning(
  endpoint: Endpoint,
  file: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const place = placeOf(endpoint);
  const warning = `Nobody checks the certificate of ${place} (truenas.insecure_skip_verify): whoever is in between can read the API key.`;
  const patience = AbortSignal.any([signal, AbortSignal.timeout(LOOK_LIMIT_MS)]);
  const seen = await probeServer(endpoint.host, endpoint.port, patience).catch(() => undefined);
  if (seen === undefined) return [warning];
  if (seen.validByCa) {
    return [warning, `An authority vouches for it: take insecure_skip_verify out of ${file}, and it is checked.`];
  }
  return [
    warning,
    `If this is the SHA-256 fingerprint of its certificate, put it under [truenas] in ${file}, and no other is accepted:`,
    `fingerprint = "${seen.fingerprint256}"`,
  ];
}
