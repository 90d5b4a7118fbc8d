import os from 'node:os';
import { method, type MethodTable } from '../rpc/method';
import type { Nas } from '../nas';
import type { Profile } from '../interface';

const VERSIONS: Record<Profile, string> = {
  '25.04.2': 'TrueNAS-25.04.2.6',
  '25.10.5': 'TrueNAS-25.10.5',
  '26.0': 'TrueNAS-26.0.0-BETA.3',
};

export function systemMethods(nas: Nas): MethodTable {
  const version = (): string =>
    nas.misbehave.version ?? (isReleaseCandidate(nas) ? 'TrueNAS-26.0.0-RC.1' : VERSIONS[nas.profile]);
  const started = { $date: Date.now() };
  return {
    'system.info': method({ roles: ['READONLY_ADMIN'] }, () => ({
      version: version(),
      buildtime: started,
      hostname: 'truenas',
      physmem: os.totalmem(),
      model: os.cpus()[0]?.model ?? 'unknown',
      cores: os.cpus().length,
      physical_cores: os.cpus().length,
      loadavg: os.loadavg(),
      uptime: '1 day, 0:00:00',
      uptime_seconds: 86_400,
      system_serial: null,
      system_product: null,
      system_product_version: null,
      license: null,
      boottime: started,
      datetime: { $date: Date.now() },
      timezone: 'UTC',
      system_manufacturer: null,
      ecc_memory: false,
    })),
    'system.product_type': method({ roles: ['READONLY_ADMIN'] }, () => 'COMMUNITY_EDITION'),
    'system.ready': method({}, () => true),
    'system.version': method({}, version),
    'system.version_short': method({}, () => version().replace('TrueNAS-', '')),
  };
}

/** The first with protected paths. */
function isReleaseCandidate({ profile, misbehave }: Nas): boolean {
  return profile === '26.0' && misbehave.protectedPaths;
}
