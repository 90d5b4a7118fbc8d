import { CallError, jobFailure } from '../rpc/errors';
import type { Job } from '../rpc/jobs';
import { maySee } from '../rpc/middleware';
import { method, type Caller, type MethodTable } from '../rpc/method';
import type { QueryOptions } from '../rpc/queryFilters';
import type { Nas } from '../nas';

/** MW:service/core_service.py. */
export function coreMethods(nas: Nas): MethodTable {
  const { middleware, profile } = nas;
  const options = new WeakMap<object, Record<string, unknown>>();

  return {
    'core.ping': method({}, () => 'pong'),
    'core.set_options': method<[Record<string, unknown>]>({ isOpen: true }, ([changes], { connection }) => {
      if (profile === '25.04.2' || !connection) return null;
      const set = options.get(connection) ?? { legacy_jobs: true, private_methods: false, py_exceptions: false };
      options.set(connection, { ...set, ...changes });
      return options.get(connection);
    }),
    'core.get_methods': method<[string | null]>({ isOpen: true }, ([service]) => {
      const names = middleware.names().filter((name) => !service || name.startsWith(`${service}.`));
      return Object.fromEntries(names.map((name) => [name, { job: middleware.isJob(name) }]));
    }),
    'core.subscribe': method<[string]>({}, ([event], { connection, session }) => {
      const roles = EVENT_ROLES[event];
      if (!session?.isFullAdmin && event !== 'core.get_jobs' && !(roles && session?.hasRole(roles))) {
        throw new CallError('Not authorized', 'EACCES');
      }
      return connection?.subscribe(event) ?? '';
    }),
    'core.unsubscribe': method<[string]>({}, ([id], { connection }) => {
      connection?.subscriptions.delete(id);
      return null;
    }),
    'core.get_jobs': method<[unknown[], QueryOptions]>({}, ([filters, queryOptions], { session }) => {
      const jobs = middleware.jobs.all().filter((job) => maySee(session, job));
      const rows = jobs.map((job) => job.item(profile !== '25.04.2'));
      return middleware.query('core.get_jobs', rows, filters, queryOptions);
    }),
    'core.job_wait': method<[number]>({ job: {} }, ([id]) => jobOf(nas, id).outcome()),
    'core.job_abort': method<[number]>({}, ([id], { session }) => {
      const job = jobOf(nas, id);
      if (!maySee(session, job)) throw new CallError('Job is not owned by current session', 'EPERM');
      job.abort();
      return null;
    }),
    'core.job_download_logs': method<[number, string, boolean]>({}, ([id, filename], caller) => {
      const job = jobOf(nas, id);
      if (!job.order.hasLogs) throw new CallError('This job has no logs');
      return nas.downloads.offer(id, filename, Buffer.from(job.fullLog()), address(caller));
    }),
    'core.download': method<[string, unknown[], string, boolean]>({}, async ([name, params, filename], caller) => {
      if (name !== 'filesystem.get') throw new CallError(`Method ${name} cannot be downloaded`, 'EINVAL');
      const job = middleware.startJob(name, params, caller);
      const content = (await nas.downloads.contentOf(job)) ?? Buffer.alloc(0);
      return [job.id, nas.downloads.offer(job.id, filename, content, address(caller))];
    }),
    'core.bulk': method<[string, unknown[][], string | null]>({ job: {} }, async ([name, calls], caller, job) => {
      const results = [];
      for (const [index, params] of calls.entries()) {
        results.push(await one(nas, name, params, caller));
        job.setProgress(((index + 1) * 100) / calls.length, `${index + 1} / ${calls.length}`);
      }
      return results;
    }),
    'core.resize_shell': method<[string, number, number]>({}, ([id, columns, rows]) => {
      if (!nas.shells.resize(id, columns, rows)) throw new CallError('Shell does not exist', 'ENOENT');
      return null;
    }),
  };
}

const EVENT_ROLES: Readonly<Record<string, readonly string[]>> = {
  'container.query': ['CONTAINER_READ'],
  'pool.snapshot.query': ['SNAPSHOT_READ'],
  'virt.global.config': ['VIRT_GLOBAL_READ'],
  'virt.instance.query': ['VIRT_INSTANCE_READ'],
  'zfs.snapshot.query': ['SNAPSHOT_READ'],
};

function jobOf(nas: Nas, id: number): Job {
  const job = nas.middleware.jobs.get(id);
  if (!job) throw new CallError(`Job ${id} does not exist`, 'ENOENT');
  return job;
}

function address({ connection }: Caller): string {
  return connection?.origin.address ?? '127.0.0.1';
}

/** One call of `core.bulk`: a job is waited for. */
async function one(nas: Nas, name: string, params: readonly unknown[], caller: Caller): Promise<unknown> {
  try {
    if (!nas.middleware.isJob(name)) {
      return { job_id: null, error: null, result: await nas.middleware.callInternally(name, params, caller) };
    }
    const job = nas.middleware.startJob(name, params, caller);
    const settled = await job.outcome().then(
      (result) => ({ error: null, result }),
      (error: unknown) => ({ error: jobFailure(error).error, result: null }),
    );
    return { job_id: job.id, ...settled };
  } catch (error) {
    return { job_id: null, error: jobFailure(error).error, result: null };
  }
}
