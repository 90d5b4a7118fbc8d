import type { Accounts } from './access/accounts';
import type { Tokens } from './access/tokens';
import type { Cron } from './host/cron';
import type { Downloads } from './host/downloads';
import type { HostFiles } from './host/hostFiles';
import type { HostNetwork } from './host/network';
import type { Shells } from './host/shell';
import type { Containers } from './incus/containers';
import type { Instances } from './incus/instances';
import type { Profile } from './interface';
import type { Misbehaviour } from './misbehaviour';
import type { Middleware } from './rpc/middleware';
import type { ZfsPool } from './zfs/pool';

/** Everything that methods work on. */
export interface Nas {
  readonly profile: Profile;
  readonly poolName: string;
  readonly incusPool: string;
  readonly misbehave: Misbehaviour;
  readonly middleware: Middleware;
  readonly accounts: Accounts;
  readonly tokens: Tokens;
  readonly instances: Instances;
  readonly containers: Containers;
  readonly pool: ZfsPool;
  readonly cron: Cron;
  readonly files: HostFiles;
  readonly network: HostNetwork;
  readonly downloads: Downloads;
  readonly shells: Shells;
}
