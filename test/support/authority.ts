import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** A certificate authority of a test's own, as a company's network has one. */
export interface TestAuthority {
  /** Its own certificate, PEM. */
  readonly pem: string;
  /** A server's certificate and key for these names, `IP:10.0.0.1`, signed by it. */
  sign(names: string): { readonly cert: string; readonly key: string };
  /** Deletes its files. */
  remove(): void;
}

/** @param name its common name. */
export function makeAuthority(name = 'Pixels test network'): TestAuthority {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pixels-authority-'));
  const file = (base: string) => path.join(folder, base);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
  openssl('req', '-x509', ...key, '-days', '2', '-subj', `/CN=${name}`, '-keyout', file('ca.key'), '-out', file('ca'));
  return {
    pem: fs.readFileSync(file('ca'), 'utf8'),
    sign(names) {
      fs.writeFileSync(file('extensions'), `subjectAltName=${names}\n`);
      openssl('req', ...key, '-subj', '/CN=server', '-keyout', file('key'), '-out', file('request'));
      const signer = ['-CA', file('ca'), '-CAkey', file('ca.key'), '-CAcreateserial'];
      openssl(
        'x509',
        '-req',
        '-days',
        '2',
        '-in',
        file('request'),
        ...signer,
        '-extfile',
        file('extensions'),
        '-out',
        file('cert'),
      );
      return { cert: fs.readFileSync(file('cert'), 'utf8'), key: fs.readFileSync(file('key'), 'utf8') };
    },
    remove: () => fs.rmSync(folder, { recursive: true }),
  };
}
