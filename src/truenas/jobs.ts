import * as z from 'zod/mini';
import { isKind, PixelsError } from '../sandbox/errors';
import type { Closable, Progress } from '../sandbox/host';
import type { CollectionEvent, JobCall, TrueNasApi } from './api';
import { jobFailure, isSameJob, jobSchema, progressOf, type Job } from './jobWire';
import type { Timing } from './limits';
import { parseWire } from './wire';
import { within } from './within';

/** What a job needs of the session. */
export interface JobHost extends Pick<TrueNasApi, 'call' | 'link'> {
  readonly timing: Timing;
  /** Job events from now on, on the connection that there is when this resolves. */
  jobEvents(listener: (event: CollectionEvent) => void): Promise<Closable>;
  /** Stands for the connection there is: another one is another value. */
  connectionMark(): object | undefined;
  /** Why there will be no connection any more. */
  over(): PixelsError | undefined;
}

/** See `TrueNasApi.job`. */
export async function runJob<T>(
  host: JobHost,
  method: string,
  params: readonly unknown[],
  result: z.ZodMiniType<T>,
  { about = {}, signal, onProgress, limitMs = host.timing.jobLimitMs }: JobCall = {},
): Promise<T> {
  const started = Date.now();
  const early = new Map<unknown, CollectionEvent>(); // events may come before the answer that says which job they are of
  let watch: JobWatch | undefined;
  const listen = (event: CollectionEvent): void => {
    if (watch === undefined)
      early.set(event.fields.id, event); // the last one says it all
    else watch.event(event);
  };
  const events = await within(host.jobEvents(listen), { signal });
  try {
    const id = await host.call(method, params, z.unknown(), { about, signal });
    // What is a job on one version of TrueNAS is none on another.
    if (typeof id !== 'number' || !Number.isSafeInteger(id)) return parseWire(result, id, method);
    watch = new JobWatch(host, { id, method, params }, onProgress);
    const first = early.get(id);
    early.clear();
    if (first !== undefined) watch.event(first);
    const rest = Math.max(0, limitMs - (Date.now() - started));
    const job = await within(watch.ended, { signal, limitMs: rest, tooLate: () => tooLong(method) });
    if (job.state !== 'SUCCESS') throw jobFailure(job, about);
    if (z.safeParse(result, job.result).success) return parseWire(result, job.result, method);
    return parseWire(result, (await watch.lookUp())?.result, method);
  } finally {
    events.close();
    watch?.close();
  }
}

/** So many look-ups in a row may fail while the server is there. */
const LOOK_UPS = 3;

/** One job on the server, until it has ended: by events, and by looking where there are none. */
class JobWatch {
  /** @throws PixelsError `unreachable` when nobody can say how it ended. */
  readonly ended: Promise<Job>;
  private end!: { resolve(job: Job): void; reject(error: PixelsError): void };
  /** The connection on which this job's id is known to mean this job. */
  private known: object | undefined;
  private lastNews = Date.now();
  private lastProgress = '';
  private failures = 0;
  private looking = false;
  private readonly timer: NodeJS.Timeout;
  private readonly hold: Closable;

  constructor(
    private readonly host: JobHost,
    private readonly sent: { id: number; method: string; params: readonly unknown[] },
    private readonly onProgress: ((progress: Progress) => void) | undefined,
  ) {
    this.ended = new Promise((resolve, reject) => (this.end = { resolve, reject }));
    this.ended.catch(() => undefined); // whoever gave up waiting does not ask
    this.known = host.connectionMark();
    this.timer = setInterval(() => void this.poll(), host.timing.jobPollMs);
    this.hold = host.link(({ kind }) => {
      const over = host.over();
      if (over !== undefined) this.end.reject(this.unknownOutcome(over));
      else if (kind === 'connected' && !this.isKnown) void this.look();
    });
  }

  event({ fields }: CollectionEvent): void {
    if (fields.id !== this.sent.id || !this.isKnown) return;
    const job = z.safeParse(jobSchema, fields);
    if (job.success) this.consider(job.data);
  }

  /**
   * The job as the server has it now; undefined when this id does not mean it any more.
   * @throws PixelsError as `call` does.
   */
  async lookUp(): Promise<Job | undefined> {
    const { id, method, params } = this.sent;
    const mark = this.host.connectionMark();
    // A query for one would fail where there is none; the list is then empty.
    const query = [[['id', '=', id]], { extra: { raw_result: true } }];
    const jobs = await this.host.call('core.get_jobs', query, z.array(jobSchema));
    const job = jobs.find((candidate) => candidate.id === id);
    const isTrusted = mark !== undefined && mark === this.known;
    if (job === undefined || !(isTrusted || isSameJob(job, method, params))) return undefined;
    if (mark === this.host.connectionMark()) this.known = mark;
    return job;
  }

  /** Nobody can say how it ended. */
  unknownOutcome(cause: unknown): PixelsError {
    const { method, id } = this.sent;
    const message = 'The connection to TrueNAS broke, and what it was doing there may be done or not.';
    return new PixelsError('unreachable', message, {
      hint: 'Look at the sandbox before you try again.',
      cause: new Error(`${method}, job ${id}: outcome unknown`, { cause }),
    });
  }

  close(): void {
    clearInterval(this.timer);
    this.hold.close();
  }

  /** Whether an id on the connection that there is now means this job: a restarted server counts from 1 again. */
  private get isKnown(): boolean {
    return this.known !== undefined && this.known === this.host.connectionMark();
  }

  private async poll(): Promise<void> {
    const quiet = Date.now() - this.lastNews >= this.host.timing.jobPollMs;
    if (quiet && this.host.connectionMark() !== undefined) await this.look();
  }

  private async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      const job = await this.lookUp();
      if (job === undefined) this.end.reject(this.unknownOutcome(undefined));
      else this.consider(job);
      this.failures = 0;
    } catch (error) {
      if (this.host.connectionMark() !== undefined) this.failures++; // else the link will say when to look again
      if (this.failures >= LOOK_UPS) this.end.reject(isKind(error, 'protocol') ? error : this.unknownOutcome(error));
    } finally {
      this.looking = false;
    }
  }

  private consider(job: Job): void {
    this.lastNews = Date.now();
    const progress = progressOf(job);
    if (progress !== undefined && progress.message !== this.lastProgress) {
      this.lastProgress = progress.message;
      this.onProgress?.(progress);
    }
    if (job.state !== 'WAITING' && job.state !== 'RUNNING') this.end.resolve(job);
  }
}

function tooLong(method: string): PixelsError {
  return new PixelsError('timeout', 'TrueNAS takes too long.', {
    hint: 'It may still finish: look at the sandbox before you try again.',
    cause: new Error(`${method}: the job has not ended`),
  });
}
