import type { Session } from '../access/session';
import type { Connection } from './connection';
import type { Job } from './jobs';

/** Who calls: `session` is null for the NAS itself, `connection` is null where no client is. */
export interface Caller {
  readonly session: Session | null;
  readonly connection: Connection | null;
}

export interface Method {
  /** Without: whoever is logged in. Read roles are part of the write roles of the same name. */
  readonly roles?: readonly string[];
  /** May be called before the login. */
  readonly isOpen?: true;
  readonly isPrivate?: true;
  /** The result is a job's id, and `run` is what the job does. */
  readonly job?: { readonly lock?: (params: readonly unknown[]) => string; readonly hasLogs?: true };
  /** `job` is there when the method is one. */
  run(params: readonly unknown[], caller: Caller, job: Job): unknown;
}

export type MethodTable = Readonly<Record<string, Method>>;

/** Gives the parameters, which the schemas have checked, their types. */
export function method<Params extends readonly unknown[]>(
  facts: Omit<Method, 'run' | 'job'> & { job?: { lock?: (params: Params) => string; hasLogs?: true } },
  run: (params: Params, caller: Caller, job: Job) => unknown,
): Method {
  return { ...facts, run } as Method;
}
