import { check, ok, warning, type Check, type Finding } from '../../sandbox/check';
import { isKind } from '../../sandbox/errors';
import type { TrueNasApi } from '../api';
import { permissionsFinding, type Feature } from './permissions';
import { readPrivileges } from './privileges';

/** What the two drivers look at in their own ways. */
export interface Looks {
  /** The pool for new sandboxes, or undefined for the server's own choice. */
  pool(signal: AbortSignal): Promise<string | undefined>;
  /** The interface of the NAS that they are connected to, or undefined for its NAT. */
  network(signal: AbortSignal): Promise<string | undefined>;
  image(signal: AbortSignal): Promise<Finding>;
  features(signal: AbortSignal): Promise<readonly Feature[]>;
  readonly needsSudo: boolean;
}

/** The server asks the internet for its list of images. */
const IMAGE_LIMIT_MS = 20_000;

/** See `SandboxHost.examine`. What the key may do comes first: it explains what else there may be. */
export async function examine(api: TrueNasApi, looks: Looks, signal?: AbortSignal): Promise<readonly Check[]> {
  return Promise.all([
    check('API key', (until) => permissions(api, looks, until), { signal }),
    check('Storage', (until) => unlessForbidden(storage(looks, until)), { signal }),
    check('Network', (until) => unlessForbidden(network(looks, until)), { signal }),
    check('Image', (until) => unlessForbidden(looks.image(until)), { signal, limitMs: IMAGE_LIMIT_MS }),
  ]);
}

async function permissions(api: TrueNasApi, looks: Looks, signal: AbortSignal): Promise<Finding> {
  const [features, privileges] = await Promise.all([looks.features(signal), readPrivileges(api, signal)]);
  return permissionsFinding(features, privileges, looks);
}

async function storage(looks: Looks, signal: AbortSignal): Promise<Finding> {
  const pool = await looks.pool(signal);
  return ok(`New sandboxes are on ${pool === undefined ? "the NAS's own choice of a pool" : `the pool "${pool}"`}.`);
}

async function network(looks: Looks, signal: AbortSignal): Promise<Finding> {
  const parent = await looks.network(signal);
  return ok(`New sandboxes are connected ${parent === undefined ? 'by NAT' : `to "${parent}"`}.`);
}

/** Which roles are missing is said by the check of the key. */
async function unlessForbidden(finding: Promise<Finding>): Promise<Finding> {
  try {
    return await finding;
  } catch (error) {
    if (isKind(error, 'forbidden')) return warning('The API key may not look at it.');
    throw error;
  }
}
