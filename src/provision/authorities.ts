import { X509Certificate } from 'node:crypto';
import fs from 'node:fs/promises';
import { PixelsError } from '../sandbox/errors';

/** A certificate of an authority that a sandbox is to trust. */
export interface Authority {
  /** A file name without ending, the same for the same certificate. */
  readonly name: string;
  readonly pem: string;
}

/**
 * Every certificate in these PEM files, each once. Nothing else of the files is read: a private key stays where it is.
 * @throws PixelsError `config`, naming the file.
 */
export async function readAuthorities(files: readonly string[]): Promise<readonly Authority[]> {
  const all = (await Promise.all(files.map(readFile))).flat();
  return [...new Map(all.map((authority) => [authority.name, authority])).values()];
}

async function readFile(file: string): Promise<readonly Authority[]> {
  const subject = `The file for provision.ca_certificates, ${file},`;
  let text: string;
  try {
    text = await fs.readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? 'unknown error'})`;
    throw new PixelsError('config', `${subject} ${why}.`, { cause: error });
  }
  const blocks = text.match(/-----BEGIN (TRUSTED )?CERTIFICATE-----[^-]*-----END (TRUSTED )?CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0 || blocks.length < (text.match(/-----BEGIN (TRUSTED )?CERTIFICATE-----/g) ?? []).length) {
    throw new PixelsError('config', `${subject} holds no whole PEM certificate.`, {
      hint: 'A file in the binary form DER is turned into one by "openssl x509 -inform der".',
    });
  }
  return blocks.map((block) => {
    try {
      const certificate = new X509Certificate(block);
      const fingerprint = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
      return { name: `pixels-${fingerprint.slice(0, 16)}`, pem: certificate.toString() };
    } catch (error) {
      throw new PixelsError('config', `${subject} holds a certificate that cannot be read.`, { cause: error });
    }
  });
}
