import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface SelfSigned {
  readonly key: string;
  readonly certificate: string;
  /** SHA-256, with colons. */
  readonly fingerprint: string;
}

/** A certificate as a new NAS makes it for itself: signed by nobody else, for `localhost`. */
export function selfSigned(): SelfSigned {
  const directory = mkdtempSync(path.join(tmpdir(), 'pixels-nas-tls-'));
  try {
    const [keyFile, file] = ['key.pem', 'certificate.pem'].map((name) => path.join(directory, name)) as [
      string,
      string,
    ];
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '397'];
    const subject = ['-subj', '/C=US/O=iXsystems/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    execFileSync('openssl', ['req', ...kind, ...subject, '-keyout', keyFile, '-out', file], { stdio: 'ignore' });
    const certificate = readFileSync(file, 'utf8');
    const { fingerprint256: fingerprint } = new X509Certificate(certificate);
    return { key: readFileSync(keyFile, 'utf8'), certificate, fingerprint };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
