import net from 'node:net';
import { PixelsError } from '../sandbox/errors';

/** Which TrueNAS, and as whom. */
export interface TrueNasTarget extends Endpoint {
  readonly username: string;
  /** `7-…`; in no log and no error. */
  readonly apiKey: string;
  readonly trust: Trust;
}

export interface Endpoint {
  /** A host name or an IP address, without a scheme and without brackets; see {@link parseTrueNasHost}. */
  readonly host: string;
  readonly port: number;
}

/** Which certificates are accepted. */
export type Trust =
  /** Those that the machine's authorities vouch for. */
  | { readonly kind: 'system' }
  /** Those that these authorities vouch for; PEM text. */
  | { readonly kind: 'ca'; readonly pem: string }
  /** The one with this SHA-256 fingerprint: 64 hexadecimal digits, with colons or without. */
  | { readonly kind: 'pin'; readonly fingerprint256: string }
  /** Any. */
  | { readonly kind: 'insecure' };

export const HTTPS_PORT = 443;

/**
 * Reads what a person or a configuration file calls a host: `nas`, `nas:8443`, `[fd00::1]:8443`, `fd00::1`,
 * `https://nas/ui/`. The port is 443 where none is named.
 * @throws PixelsError `config`, also for `http://` and `ws://`: Pixels never speaks to TrueNAS without TLS.
 */
export function parseTrueNasHost(text: string): Endpoint {
  const given = text.trim();
  if (/^(http|ws):/i.test(given)) throw plainText();
  if (net.isIP(given) !== 0) return { host: given, port: HTTPS_PORT };
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(given)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'https' && scheme !== 'wss') throw notAHost();
  const rest = scheme === undefined ? given : given.slice(scheme.length + '://'.length);
  const url = URL.canParse(`https://${rest}`) ? new URL(`https://${rest}`) : undefined;
  if (url === undefined || url.hostname === '' || url.username !== '' || url.password !== '') throw notAHost();
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || HTTPS_PORT) };
}

/**
 * Looks whether this target can be used at all, before anything is sent anywhere.
 * @throws PixelsError `config`.
 */
export function checkTarget({ host, port, apiKey, username, trust }: TrueNasTarget): void {
  if (parseTrueNasHost(host).host !== host.toLowerCase()) throw notAHost();
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw notAHost();
  if (username === '')
    throw new PixelsError('config', 'The user of the API key is missing.', { hint: 'Set truenas.username.' });
  if (!/^[\w-]{8,}$/.test(apiKey)) {
    throw new PixelsError('config', 'The API key for TrueNAS is missing, or is none.', {
      hint: 'Copy it again: a number, a dash and 64 letters and digits.',
    });
  }
  if (trust.kind === 'pin') digestOf(trust.fingerprint256);
}

/**
 * A fingerprint as 64 small hexadecimal digits.
 * @throws PixelsError `config`.
 */
export function digestOf(fingerprint256: string): string {
  const digits = fingerprint256
    .replace(/^sha-?256[:/ ]/i, '')
    .replace(/[:\s]/g, '')
    .toLowerCase();
  if (/^[0-9a-f]{64}$/.test(digits)) return digits;
  throw new PixelsError('config', 'The fingerprint of the TrueNAS certificate is not a SHA-256 fingerprint.', {
    hint: 'It has 64 hexadecimal digits. Connect again to see it and confirm it.',
  });
}

/** The server as a person reads it, and as the header `Host` has it. */
export function placeOf({ host, port }: Endpoint): string {
  const name = net.isIPv6(host) ? `[${host.replace(/%.*$/, '')}]` : host;
  return port === HTTPS_PORT ? name : `${name}:${port}`;
}

function plainText(): PixelsError {
  return new PixelsError(
    'config',
    'Pixels speaks to TrueNAS over TLS only: TrueNAS revokes an API key for good when it is used once over plain HTTP.',
    { hint: 'Give the host without "http://" or "ws://", and the port of the HTTPS web interface.' },
  );
}

function notAHost(): PixelsError {
  return new PixelsError('config', 'The address of TrueNAS is no host name and no IP address.', {
    hint: 'Set truenas.host to something like "nas.lan" or "nas.lan:8443".',
  });
}
