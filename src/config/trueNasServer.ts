import fs from 'node:fs/promises';
import { PixelsError } from '../sandbox/errors';
import type { Config } from './schema';

/** Where a TrueNAS is and what makes it trusted, with nothing secret in it. It may be written to a file. */
export interface TrueNasServer {
  readonly kind: 'truenas';
  /** As a person wrote it: a name, an address, or an https URL. */
  readonly host: string;
  /** Absent: the one in `host`, or 443. */
  readonly port?: number;
  readonly username: string;
  readonly trust: TrueNasTrust;
}

export type TrueNasTrust =
  | { readonly kind: 'system' }
  | { readonly kind: 'ca'; readonly file: string }
  | { readonly kind: 'pin'; readonly fingerprint256: string }
  | { readonly kind: 'insecure' };

/**
 * The configured TrueNAS. A fingerprint counts more than a file of authorities, and both more than `insecure_skip_verify`.
 * @throws PixelsError `config` when no host is named.
 */
export function trueNasServer(config: Config): TrueNasServer {
  const { host, port, username } = config.truenas;
  if (host === undefined) {
    throw new PixelsError('config', 'The backend is TrueNAS, but no host is set.', {
      hint: 'Set truenas.host, or run "Pixels: Connect to TrueNAS…" in the editor.',
    });
  }
  return { kind: 'truenas', host, ...(port === undefined ? {} : { port }), username, trust: trustOf(config.truenas) };
}

/** The authorities' certificates of a {@link TrueNasTrust}. @throws PixelsError `config`, naming the file. */
export async function readAuthorities(file: string): Promise<string> {
  let pem: string;
  try {
    pem = await fs.readFile(file, 'utf8');
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new PixelsError('config', `The file for truenas.ca_cert, ${file}, cannot be read (${code}).`, {
      cause: error,
    });
  }
  if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
  throw new PixelsError('config', `The file for truenas.ca_cert, ${file}, holds no PEM certificate.`);
}

function trustOf({ fingerprint, caCert, insecureSkipVerify }: Config['truenas']): TrueNasTrust {
  if (fingerprint !== undefined) return { kind: 'pin', fingerprint256: fingerprint };
  if (caCert !== undefined) return { kind: 'ca', file: caCert };
  return { kind: insecureSkipVerify ? 'insecure' : 'system' };
}
