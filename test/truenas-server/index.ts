import type { TrueNasServer, TrueNasServerOptions } from './interface';
import { startNas } from './start';

export type {
  AddKeyOptions,
  Credentials,
  Profile,
  ReceivedCall,
  TrueNasServer,
  TrueNasServerOptions,
} from './interface';
export type { GarbageKind, Misbehaviour } from './misbehaviour';

/**
 * A TrueNAS on loopback, for tests: the real wire protocol in front of a real Incus daemon. Needs root, `btrfs`, `openssl` and
 * a pool on btrfs. What it checks and answers is as the sources of TrueNAS' middleware have it.
 */
export function startTrueNasServer(options: TrueNasServerOptions): Promise<TrueNasServer> {
  return startNas(options);
}
