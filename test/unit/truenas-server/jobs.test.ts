import { beforeEach, describe, expect, it } from 'vitest';
import { CallError, invalid } from '../../truenas-server/rpc/errors';
import { excerpt, JobQueue, type Job, type JobOrder } from '../../truenas-server/rpc/jobs';

let told: string[];
let queue: JobQueue;

beforeEach(() => {
  told = [];
  queue = new JobQueue((kind, job) => told.push(`${job.id} ${kind} ${job.state}`));
});

function add(run: (job: Job) => unknown, order: Partial<JobOrder> = {}): Job {
  const rest = { method: 'x.y', params: [], session: null, messageId: undefined, lock: null, hasLogs: false };
  return queue.add({ ...rest, ...order, run: (job) => Promise.resolve(run(job)) });
}

describe('a job', () => {
  it('waits, runs and says SUCCESS twice: once with its progress, once at its end', async () => {
    const job = add(() => 'done');
    expect(told).toEqual(['1 added WAITING']);
    expect(await job.outcome()).toBe('done');
    expect(told.slice(1)).toEqual(['1 changed RUNNING', '1 changed SUCCESS', '1 changed SUCCESS']);
    expect(job.item(true)).toMatchObject({ state: 'SUCCESS', result: 'done', progress: { percent: 100 }, error: null });
  });

  it('says it once when it came to 100 percent itself, and its last words stay', async () => {
    const job = add((running) => running.setProgress(100, 'Complete'));
    await job.outcome();
    expect(told.filter((event) => event.endsWith('SUCCESS'))).toHaveLength(1);
    expect(job.item(true).progress).toEqual({ percent: 100, description: 'Complete', extra: null });
  });

  it('fails with the words and the number of a CallError', async () => {
    const job = add(() => {
      throw new CallError('No', 'EBUSY');
    });
    await expect(job.outcome()).rejects.toThrow('[EBUSY] No');
    expect(job.item(true)).toMatchObject({
      state: 'FAILED',
      error: '[EBUSY] No',
      exc_info: { type: 'CallError', errno: 16 },
    });
  });

  it('fails by validation with the triples and without a number', async () => {
    const job = add(() => {
      throw invalid('a.b', 'Wrong');
    });
    await expect(job.outcome()).rejects.toThrow();
    expect(job.item(true).exc_info).toMatchObject({ type: 'VALIDATION', errno: null, extra: [['a.b', 'Wrong', 22]] });
  });

  it('waits for the one before it that has the same lock, and for no other', async () => {
    const order: string[] = [];
    let release: (() => void) | undefined;
    const first = add(() => new Promise<void>((resolve) => (release = resolve)), { lock: 'a' });
    const second = add(() => order.push('second'), { lock: 'a' });
    await add(() => order.push('other'), { lock: 'b' }).outcome();
    expect(second.state).toBe('WAITING');
    release?.();
    await Promise.all([first.outcome(), second.outcome()]);
    expect(order).toEqual(['other', 'second']);
  });

  it('that is aborted is over, whatever it does afterwards', async () => {
    let release: (() => void) | undefined;
    const job = add(() => new Promise<void>((resolve) => (release = resolve)));
    await new Promise((resolve) => setTimeout(resolve, 5));
    job.abort();
    release?.();
    await expect(job.outcome()).rejects.toThrow('Aborted');
    expect(told.at(-1)).toBe('1 changed ABORTED');
  });

  it('has no message ids on 25.04', () => {
    expect(add(() => null, { messageId: 7 }).item(false)).not.toHaveProperty('message_ids');
    expect(add(() => null, { messageId: 7 }).item(true).message_ids).toEqual([7]);
  });
});

describe('the queue', () => {
  it('keeps 1000 jobs, and forgets the oldest that has ended', async () => {
    const hanging = add(() => new Promise(() => undefined));
    const jobs = Array.from({ length: 999 }, () => add(() => null));
    await Promise.all(jobs.map((job) => job.ended));
    add(() => null);
    expect(queue.get(hanging.id)).toBe(hanging);
    expect(queue.get(2)).toBeUndefined();
    expect(queue.all()).toHaveLength(1000);
  });

  it('counts from 1 after a restart, and says nothing of the jobs before it', async () => {
    let release: (() => void) | undefined;
    const job = add(() => new Promise<void>((resolve) => (release = resolve)));
    await new Promise((resolve) => setTimeout(resolve, 5));
    queue.restart();
    told = [];
    release?.();
    await job.ended;
    expect(told).toEqual([]);
    expect(queue.all()).toEqual([]);
    expect(add(() => null).id).toBe(1);
  });
});

it('of a long log the first and the last ten lines are shown', () => {
  const log = Array.from({ length: 25 }, (_, line) => `${line}\n`).join('');
  expect(excerpt('a\nb\n')).toBe('a\nb\n');
  expect(excerpt(log)).toContain('9\n... ');
  expect(excerpt(log)).toContain('more lines ...\n');
  expect(excerpt(log).endsWith('24\n')).toBe(true);
});
