import type { Session } from '../access/session';
import type { Profile, ReceivedCall } from '../interface';
import type { Misbehaviour } from '../misbehaviour';
import type { Schemas } from '../schema/schemas';
import type { Connection } from './connection';
import { CallError, ERRNO, ValidationErrors } from './errors';
import { JobQueue, type Job } from './jobs';
import { RateLimit } from './limits';
import type { Caller, Method, MethodTable } from './method';
import { filterRows, type QueryOptions, type Row } from './queryFilters';
import { withoutSecrets } from './secrets';

const NOBODY: Caller = { session: null, connection: null };
/** How long an answer is held back behind its job's events where that is asked for. */
const HELD_BACK_MS = 500;

/** Calls methods for clients as the middleware does: login, roles, models, jobs, events. What methods do is in ../api. */
export class Middleware {
  readonly calls: ReceivedCall[] = [];
  readonly connections = new Set<Connection>();
  readonly jobs = new JobQueue((kind, job) => this.tellOfJob(kind, job));
  /** Results that no real server would give. */
  readonly bugs: Error[] = [];
  private rateLimit = new RateLimit();
  private methods: MethodTable = {};
  private generation = 0;

  constructor(
    readonly profile: Profile,
    readonly misbehave: Misbehaviour,
    private readonly schemas: Schemas,
  ) {}

  /** Only those that the release has are offered. */
  offer(methods: MethodTable): void {
    this.methods = Object.fromEntries(Object.entries(methods).filter(([name]) => this.schemas.has(name)));
    const lacking = this.schemas.names().filter((name) => !(name in this.methods));
    if (lacking.length > 0) throw new Error(`Bug of the test server: no method ${lacking.join(', ')}`);
  }

  has(method: string): boolean {
    return method in this.methods;
  }

  names(): readonly string[] {
    return Object.keys(this.methods).filter((name) => !this.methods[name]?.isPrivate);
  }

  /** The methods that one of these roles is asked for. */
  namesFor(roles: ReadonlySet<string>): readonly string[] {
    return this.names().filter((name) => this.methods[name]?.roles?.some((role) => roles.has(role)));
  }

  isJob(method: string): boolean {
    return this.methods[method]?.job !== undefined;
  }

  record(method: string, params: readonly unknown[]): void {
    this.calls.push({ method, params: withoutSecrets(method, params) });
  }

  /** A client's call: its result, or a job's id. Throws {@link CallError} and {@link ValidationErrors}. */
  async call(name: string, given: readonly unknown[], connection: Connection, messageId: unknown): Promise<unknown> {
    const method = this.required(name);
    await this.admit(name, method, connection);
    if (this.misbehave.hangMethods.includes(name) && !method.job) return new Promise(() => undefined);
    const params = this.schemas.accept(name, given);
    const caller = { session: connection.session, connection };
    if (!method.job) return this.checked(name, () => this.run(name, method, params, caller));
    const job = this.start(name, method, params, caller, messageId);
    if (this.misbehave.eventBeforeAnswer) {
      await Promise.race([job.ended, new Promise((resolve) => setTimeout(resolve, HELD_BACK_MS))]);
    }
    return job.id;
  }

  /** A call by the NAS itself; a job is waited for. */
  async callInternally(name: string, given: readonly unknown[], caller: Caller = NOBODY): Promise<unknown> {
    const method = this.required(name);
    const params = this.schemas.accept(name, given);
    if (!method.job) return this.checked(name, () => this.run(name, method, params, caller));
    return this.start(name, method, params, caller, undefined).outcome();
  }

  /** Starts a method that is a job, for `core.download` and `core.bulk`. */
  startJob(name: string, given: readonly unknown[], caller: Caller): Job {
    return this.start(name, this.required(name), this.schemas.accept(name, given), caller, undefined);
  }

  /** Filters rows, all of which have to be right before any part of them is given away. */
  query(name: string, rows: readonly Row[], filters: readonly unknown[], options: QueryOptions): unknown {
    this.check(() => this.schemas.checkRows(name, rows));
    return filterRows(rows, filters, options);
  }

  /** Tells those who subscribed to it and may read it. */
  tell(collection: string, msg: 'added' | 'changed' | 'removed', id: unknown, fields?: unknown): void {
    for (const connection of this.connections) {
      if (!connection.hasSubscribed(collection)) continue;
      connection.notify('collection_update', { msg, collection, id, ...(fields === undefined ? {} : { fields }) });
    }
  }

  /** Where a job's failure can be asked for between two of its steps; throws too when the middleware has restarted meanwhile. */
  step(job: Job): void {
    if (this.jobs.get(job.id) !== job) throw new CallError('The middleware was restarted');
    this.failIfAsked(job.order.method, 'middle');
  }

  disconnected(connection: Connection): void {
    this.connections.delete(connection);
  }

  restart(): void {
    this.generation += 1;
    this.jobs.restart();
    this.rateLimit = new RateLimit();
    for (const connection of this.connections) connection.cut();
  }

  private async admit(name: string, method: Method, { session, origin }: Connection): Promise<void> {
    if (session === null && method.isOpen) {
      if (!this.misbehave.rateLimit || !this.rateLimit.exceeded(name, origin.address)) return;
      await new Promise((resolve) => setTimeout(resolve, this.misbehave.rateLimitDelayMs));
      throw new CallError('Rate Limit Exceeded', 'EBUSY');
    }
    if (method.isOpen) return;
    if (session === null) throw new CallError('Not authenticated', 'ENOTAUTHENTICATED');
    const isAllowed = method.isPrivate ? session.isFullAdmin : !method.roles || session.hasRole(method.roles);
    if (!isAllowed) throw new CallError('Not authorized', 'EACCES');
  }

  private start(name: string, method: Method, params: readonly unknown[], caller: Caller, messageId: unknown): Job {
    return this.jobs.add({
      method: name,
      params,
      session: caller.session,
      messageId,
      lock: method.job?.lock?.(params) ?? null,
      hasLogs: method.job?.hasLogs ?? false,
      run: async (job) => {
        if (this.misbehave.hangMethods.includes(name)) await new Promise(() => undefined);
        return this.checked(name, () => this.run(name, method, structuredClone(params), caller, job));
      },
    });
  }

  private async run(
    name: string,
    method: Method,
    params: readonly unknown[],
    caller: Caller,
    job?: Job,
  ): Promise<unknown> {
    this.failIfAsked(name, 'before');
    const result = await method.run(params, caller, job as Job);
    this.failIfAsked(name, 'after');
    return result;
  }

  private failIfAsked(method: string, at: 'before' | 'middle' | 'after'): void {
    const { failStep } = this.misbehave;
    if (failStep?.method !== method || failStep.at !== at) return;
    this.misbehave.failStep = null;
    throw new CallError(failStep.message ?? 'Failed on request');
  }

  private async checked(name: string, run: () => Promise<unknown>): Promise<unknown> {
    const result = await run();
    this.check(() => this.schemas.checkResult(name, result));
    return result;
  }

  private check(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.bugs.push(error as Error);
      console.error(error);
      throw error;
    }
  }

  private required(name: string): Method {
    const method = this.methods[name];
    if (!method) throw new ValidationErrors([[null, `Method '${name}' not found`, ERRNO.ENOMETHOD]], 'ValidationError');
    return method;
  }

  private tellOfJob(kind: 'added' | 'changed', job: Job): void {
    if (this.misbehave.lostJobEvents) return;
    const fields = job.item(this.profile !== '25.04.2');
    const { generation } = this;
    const tell = (): void => {
      if (generation !== this.generation) return;
      for (const connection of this.connections) {
        if (!connection.session || !connection.hasSubscribed('core.get_jobs')) continue;
        if (!maySee(connection.session, job)) continue;
        connection.notify('collection_update', { msg: kind, collection: 'core.get_jobs', id: job.id, fields });
      }
    };
    tell();
    if (this.misbehave.duplicateSuccess && job.state === 'SUCCESS') setTimeout(tell, 20);
  }
}

/** One's own jobs only, unless one may do everything, as the NAS itself may. */
export function maySee(session: Session | null, job: Job): boolean {
  if (!session) return true;
  return session.isFullAdmin || job.order.session?.user.username === session.user.username;
}
