import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

const DIRECTORY = '/usr/local/share/ca-certificates';

/**
 * The authorities that this machine trusts besides the usual ones, as PIXELS_PROVISION_CA_CERTIFICATES: where there are any, downloads
 * go through a company's network, and a sandbox has to know them too.
 */
export function machineAuthorities(): string {
  const all = existsSync(DIRECTORY) ? readdirSync(DIRECTORY, { recursive: true, encoding: 'utf8' }) : [];
  const files = all.filter((file) => file.endsWith('.crt'));
  return files.map((file) => path.join(DIRECTORY, file)).join(',');
}
