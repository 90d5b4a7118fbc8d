import type { Session } from '../access/session';
import { jobFailure } from './errors';

export type JobState = 'WAITING' | 'RUNNING' | 'SUCCESS' | 'FAILED' | 'ABORTED';

/** What a method that is a job does and says while it runs. */
export interface JobOrder {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly session: Session | null;
  readonly messageId: unknown;
  /** Jobs with the same lock run one after another. */
  readonly lock: string | null;
  readonly hasLogs: boolean;
  run(job: Job): Promise<unknown>;
}

/** How the outside hears of jobs; what is sent to whom is not theirs to know. */
export type JobListener = (kind: 'added' | 'changed', job: Job) => void;

const LOG_DIRECTORY = '/var/log/jobs';

/** A long call and everything that `core.get_jobs` tells of it (MW:job.py). */
export class Job {
  state: JobState = 'WAITING';
  private progress: { percent: number; description: string; extra: unknown } = {
    percent: 0,
    description: '',
    extra: null,
  };
  private failure: ReturnType<typeof jobFailure> | null = null;
  private log = '';
  private readonly startedAt = Date.now();
  private finishedAt: number | null = null;
  private value: unknown = null;
  private finish: () => void = () => undefined;
  /** Resolves when it has ended, in whatever way. */
  readonly ended = new Promise<void>((resolve) => (this.finish = resolve));
  private thrown: unknown;

  constructor(
    readonly id: number,
    readonly order: JobOrder,
    private readonly tell: JobListener,
  ) {}

  setProgress(percent: number | null, description?: string): void {
    const { percent: oldPercent, description: oldDescription } = this.progress;
    if (percent !== null) this.progress.percent = Math.floor(percent);
    if (description) this.progress.description = description;
    if (this.progress.percent !== oldPercent || this.progress.description !== oldDescription)
      this.tell('changed', this);
  }

  writeLog(text: string): void {
    this.log += text;
  }

  /** Its result, or what it threw. */
  async outcome(): Promise<unknown> {
    await this.ended;
    if (this.state === 'SUCCESS') return this.value;
    throw this.thrown;
  }

  async run(): Promise<void> {
    if (this.state !== 'WAITING') return;
    this.state = 'RUNNING';
    this.tell('changed', this);
    try {
      this.value = await this.order.run(this);
      if (this.isOver()) return;
      this.state = 'SUCCESS';
      this.finishedAt = Date.now();
      this.setProgress(100); // an event of its own, which already says SUCCESS
    } catch (error) {
      if (this.isOver()) return;
      this.state = 'FAILED';
      this.finishedAt = Date.now();
      this.thrown = error;
      this.failure = jobFailure(error);
    }
    this.finish();
    this.tell('changed', this);
  }

  /** What it started goes on; only the job is over. */
  abort(): void {
    if (this.isOver()) return;
    this.state = 'ABORTED';
    this.finishedAt = Date.now();
    this.thrown = new Error('Aborted');
    this.finish();
    this.tell('changed', this);
  }

  /** As `core.get_jobs` and its events have it. 25.04 has no `message_ids`. */
  item(withMessageIds: boolean): Record<string, unknown> {
    const { method, params, session, messageId, hasLogs } = this.order;
    const isDone = this.finishedAt !== null;
    return {
      id: this.id,
      ...(withMessageIds ? { message_ids: messageId === undefined ? [] : [messageId] } : {}),
      method,
      arguments: params,
      transient: false,
      description: null,
      abortable: false,
      logs_path: hasLogs && this.state !== 'WAITING' ? `${LOG_DIRECTORY}/${this.id}.log` : null,
      logs_excerpt: hasLogs && isDone ? excerpt(this.log) : null,
      progress: { ...this.progress },
      result: this.state === 'SUCCESS' ? this.value : null,
      result_encoding_error: null,
      error: this.failure?.error ?? null,
      exception: this.failure?.exception ?? null,
      exc_info: this.failure?.exc_info ?? null,
      state: this.state,
      time_started: { $date: this.startedAt },
      time_finished: this.finishedAt === null ? null : { $date: this.finishedAt },
      credentials: session ? { type: session.kind, data: session.described() } : null,
    };
  }

  fullLog(): string {
    return this.log;
  }

  private isOver(): boolean {
    return this.state !== 'WAITING' && this.state !== 'RUNNING';
  }
}

/** The first and the last 10 lines. */
export function excerpt(log: string): string {
  const lines = log.split(/(?<=\n)/);
  if (lines.length <= 20) return log;
  return `${lines.slice(0, 10).join('')}... ${lines.length - 20} more lines ...\n${lines.slice(-10).join('')}`;
}

const KEPT = 1000;

/** At most 1000 jobs in memory, numbered from 1 (MW:job.py `JobsDeque`). */
export class JobQueue {
  private jobs = new Map<number, Job>();
  private count = 0;
  private locks = new Map<string, Promise<void>>();
  private generation = 0;

  constructor(private readonly tell: JobListener) {}

  /** Adds it, tells of it, and lets it run when its lock is free and this turn of the event loop is over. */
  add(order: JobOrder): Job {
    const generation = this.generation;
    const job = new Job((this.count += 1), order, (kind, told) => {
      if (generation === this.generation) this.tell(kind, told);
    });
    if (this.jobs.size >= KEPT) this.forgetOne();
    this.jobs.set(job.id, job);
    this.tell('added', job);
    const before = (order.lock !== null && this.locks.get(order.lock)) || Promise.resolve();
    const run = before.then(() => new Promise<void>((resolve) => setImmediate(resolve))).then(() => job.run());
    if (order.lock !== null) this.locks.set(order.lock, run);
    return job;
  }

  get(id: number): Job | undefined {
    return this.jobs.get(id);
  }

  all(): readonly Job[] {
    return [...this.jobs.values()];
  }

  /** A new middleware: nothing is known of the old jobs, though what they do goes on where it is Incus that does it. */
  restart(): void {
    this.generation += 1;
    this.jobs = new Map();
    this.locks = new Map();
    this.count = 0;
  }

  private forgetOne(): void {
    for (const [id, { state }] of this.jobs) {
      if (state === 'WAITING' || state === 'RUNNING') continue;
      this.jobs.delete(id);
      return;
    }
  }
}
