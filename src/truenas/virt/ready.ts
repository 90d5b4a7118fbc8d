import { PixelsError, type ErrorKind } from '../../sandbox/errors';
import type { TrueNasApi } from '../api';
import { globalConfigSchema, type GlobalConfig } from './wire';

interface NotReady {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly hint: string;
}

/** What `virt.global.config` says instead of INITIALIZED. Meanwhile `virt.instance.query` answers with an empty list. */
const NOT_READY: Readonly<Record<string, NotReady>> = {
  NO_POOL: {
    kind: 'config',
    message: 'This TrueNAS has no pool for containers yet.',
    hint: 'Choose one in its web interface, on the page Containers.',
  },
  INITIALIZING: {
    kind: 'busy',
    message: 'This TrueNAS is still getting its containers ready.',
    hint: 'Try again in a moment.',
  },
  LOCKED: {
    kind: 'wrong-state',
    message: "The pool with this TrueNAS's containers is locked.",
    hint: 'Unlock it in its web interface, on the page Datasets.',
  },
  ERROR: {
    kind: 'failed',
    message: 'This TrueNAS could not get its containers ready.',
    hint: 'Its web interface says why, on the page Containers.',
  },
};

/**
 * `virt.global.config` of a NAS whose containers are ready.
 * @throws PixelsError `config`, `busy`, `wrong-state` or `failed` with what is in the way.
 */
export async function readyConfig(api: TrueNasApi, signal?: AbortSignal): Promise<GlobalConfig> {
  const config = await api.call('virt.global.config', [], globalConfigSchema, { signal });
  if (config.state === 'INITIALIZED') return config;
  const { kind, message, hint } = NOT_READY[config.state ?? 'INITIALIZING'] ?? {
    kind: 'protocol',
    message: `This TrueNAS says that its containers are "${config.state ?? ''}".`,
    hint: 'A newer version of Pixels may understand that.',
  };
  throw new PixelsError(kind, message, { hint });
}
