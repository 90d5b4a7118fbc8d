import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** As people compare it: `AB:CD:…`. */
  readonly fingerprint256: string;
}

/** A self-signed certificate, as TrueNAS has one by default. */
export function selfSigned(
  names = 'DNS:localhost,IP:127.0.0.1',
  subjectName = '/O=iXsystems/CN=localhost',
): Certificate {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pixels-certificate-'));
  try {
    const [keyFile, certFile] = [path.join(folder, 'key'), path.join(folder, 'cert')];
    const subject = ['-subj', subjectName, '-addext', `subjectAltName=${names}`];
    const keyType = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const files = ['-keyout', keyFile, '-out', certFile];
    execFileSync('openssl', ['req', '-x509', ...keyType, '-days', '2', ...subject, ...files], { stdio: 'ignore' });
    const cert = fs.readFileSync(certFile, 'utf8');
    const { fingerprint256 } = new X509Certificate(cert);
    return { cert, key: fs.readFileSync(keyFile, 'utf8'), fingerprint256 };
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}
