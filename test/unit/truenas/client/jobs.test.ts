import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import type { Progress } from '../../../../src/sandbox/host';
import { refusalOf } from '../../../../src/truenas/errors';
import {
  callError,
  invalid,
  noSuchMethod,
  SILENCE,
  type Connection,
  type Request,
  type ScriptedNas,
} from './scriptedNas';
import { connect, failureOf, pause, startNas, until } from './world';

const text = z.string();

interface WireJob {
  id: number;
  method: string;
  arguments: unknown;
  state: string;
  [field: string]: unknown;
}

/** The jobs of a NAS: made by a method, changed by the test, told by events or by `core.get_jobs`. */
class ScriptedJobs {
  jobs: WireJob[] = [];
  nextId = 101;

  constructor(
    private readonly nas: ScriptedNas,
    method = 'virt.instance.create',
    answer: (job: WireJob, request: Request) => unknown = (job) => job.id,
  ) {
    nas.on(method, (request) => {
      const { params } = request;
      const job = { id: this.nextId++, method, arguments: params, state: 'RUNNING', ...REST };
      this.jobs.push(job);
      return answer(job, request);
    });
    nas.on('core.get_jobs', ({ params }) => {
      const [[[field, operator, id]]] = params as [[[string, string, number]]];
      expect([field, operator]).toEqual(['id', '=']);
      return this.jobs.filter((job) => job.id === id);
    });
  }

  /** Changes a job and tells nobody. */
  change(change: Partial<WireJob>, index = 0): WireJob {
    return Object.assign(this.jobs[index]!, change);
  }

  /** Changes a job and sends the event. */
  tell(change: Partial<WireJob>, index = 0): void {
    const job = this.change(change, index);
    this.nas.event('core.get_jobs', 'changed', job.id, job);
  }
}

const REST = {
  message_ids: [1],
  progress: { percent: 0, description: '', extra: null },
  result: null,
  error: null,
  exc_info: null,
  logs_excerpt: null,
  time_started: { $date: 1_787_306_400_000 },
  time_finished: null,
};

const create = [{ name: 'px-a', image: 'debian/12', memory: 2 ** 31 }];
const done = { state: 'SUCCESS', result: 'made' };
/** A poll that never comes. */
const EVENTS_ONLY = { jobPollMs: 60_000 };
const POLLS_ONLY = { jobPollMs: 20 };

describe('job()', () => {
  it('subscribes before the first job, and returns its result', async () => {
    const nas = await startNas();
    const jobs = new ScriptedJobs(nas);
    const api = connect(nas, { timing: EVENTS_ONLY });
    const made = api.job('virt.instance.create', create, text);
    await until(() => jobs.jobs.length === 1);
    expect(nas.methods().indexOf('core.subscribe')).toBeLessThan(nas.methods().indexOf('virt.instance.create'));
    jobs.tell(done);
    expect(await made).toBe('made');
    const second = api.job('virt.instance.create', create, text);
    await until(() => jobs.jobs.length === 2);
    jobs.tell(done, 1);
    await second;
    expect(nas.count('core.subscribe')).toBe(1);
    expect(nas.count('core.get_jobs')).toBe(0);
  });

  it('sees an end that is told before the id is', async () => {
    const nas = await startNas();
    const jobs = new ScriptedJobs(nas, 'virt.instance.create', async (job) => {
      jobs.tell({ state: 'RUNNING' });
      jobs.tell(done);
      await pause(30);
      return job.id;
    });
    expect(await connect(nas, { timing: EVENTS_ONLY }).job('virt.instance.create', create, text)).toBe('made');
  });

  it('bears an end that is told twice, and one that belongs to another job', async () => {
    const nas = await startNas();
    const jobs = new ScriptedJobs(nas);
    const api = connect(nas, { timing: EVENTS_ONLY });
    const first = api.job('virt.instance.create', create, text);
    const second = api.job('virt.instance.create', [{ name: 'px-b' }], text);
    await until(() => jobs.jobs.length === 2);
    await pause(10);
    jobs.tell({ ...done, result: 'second' }, 1);
    jobs.tell({}, 1);
    expect(await second).toBe('second');
    jobs.tell({ ...done, result: 'first' }, 0);
    jobs.tell({}, 0);
    expect(await first).toBe('first');
  });

  it('shows the progress in words, each once, and the part where there is one', async () => {
    const nas = await startNas();
    const jobs = new ScriptedJobs(nas);
    const seen: Progress[] = [];
    const api = connect(nas, { timing: EVENTS_ONLY });
    const made = api.job('virt.instance.create', create, text, { onProgress: (progress) => seen.push(progress) });
    await until(() => jobs.jobs.length === 1);
    await pause(10);
    const say = (percent: unknown, description: unknown): void => jobs.tell({ progress: { percent, description } });
    say(0, null);
    say(0, 'rootfs: 45% (12.34MB/s)');
    say(0, 'rootfs: 45% (12.34MB/s)');
    say(85, 'Executed\u001b[2J Cron\nTask…...');
    say(1e9, 'Almost');
    say('x', 'There');
    jobs.tell({ progress: 7 });
    jobs.tell(done);
    await made;
    expect(seen).toEqual([
      { message: 'rootfs: 45% (12.34MB/s)' },
      { message: 'Executed [2J Cron Task…', fraction: 0.85 },
      { message: 'Almost' },
      { message: 'There' },
    ]);
  });

  it('looks by itself where no event comes', async () => {
    const nas = await startNas();
    nas.on('core.subscribe', () => callError(13, 'EACCES', 'Not authorized'));
    const jobs = new ScriptedJobs(nas);
    const made = connect(nas, { timing: POLLS_ONLY }).job('virt.instance.create', create, text);
    await until(() => nas.count('core.get_jobs') >= 2);
    jobs.change(done);
    expect(await made).toBe('made');
    const looks = nas.requests.filter(({ method }) => method === 'core.get_jobs');
    expect(looks[0]!.params).toEqual([[['id', '=', 101]], { extra: { raw_result: true } }]);
  });

  it('does not look while events come', async () => {
    const nas = await startNas();
    const jobs = new ScriptedJobs(nas);
    const made = connect(nas, { timing: { jobPollMs: 500 } }).job('virt.instance.create', create, text);
    await until(() => jobs.jobs.length === 1);
    for (let count = 0; count < 10; count++) {
      await pause(70);
      jobs.tell({});
    }
    jobs.tell(done);
    await made;
    expect(nas.count('core.get_jobs')).toBe(0);
  });

  it('stops looking, and lets the connection rest, when the job has ended', async () => {
    const nas = await startNas();
    const jobs = new ScriptedJobs(nas);
    const made = connect(nas, { timing: { ...POLLS_ONLY, idleMs: 50 } }).job('virt.instance.create', create, text);
    await until(() => jobs.jobs.length === 1);
    jobs.change(done);
    await made;
    const looks = nas.count('core.get_jobs');
    await until(() => nas.openConnections === 0);
    expect(nas.count('core.get_jobs')).toBe(looks);
  });

  it('looks for the whole result when the one in the event is not', async () => {
    const nas = await startNas();
    const jobs = new ScriptedJobs(nas);
    const made = connect(nas, { timing: EVENTS_ONLY }).job('virt.instance.create', create, text);
    await until(() => jobs.jobs.length === 1);
    await pause(10);
    jobs.change({ ...done });
    nas.event('core.get_jobs', 'changed', 101, { ...jobs.jobs[0], result: null });
    expect(await made).toBe('made');
  });

  it('takes the answer of a method that is no job here for the result', async () => {
    const nas = (await startNas()).on('container.delete', () => null);
    expect(await connect(nas).job('container.delete', [1], z.null())).toBeNull();
  });

  it('fails as a call does when the job cannot be begun', async () => {
    const nas = (await startNas())
      .on('a', () => invalid(['virt_instance_create.name', "Name 'px-a' already exists", 17]))
      .on('b', () => noSuchMethod);
    const api = connect(nas);
    await failureOf(api.job('a', [], text, { about: { sandbox: 'a' } }), 'exists');
    await failureOf(api.job('b', [], text), 'unsupported');
  });

  it('fails as the job does, by errno', async () => {
    const nas = await startNas();
    const jobs = new ScriptedJobs(nas);
    const failed = failureOf(connect(nas, { timing: EVENTS_ONLY }).job('virt.instance.create', create, text), 'failed');
    await until(() => jobs.jobs.length === 1);
    await pause(10);
    jobs.tell({
      state: 'FAILED',
      error: '[EFAULT] Failed creating instance from image: Image not found',
      exception: 'Traceback (most recent call last)',
      exc_info: { repr: 'CallError()', type: 'CallError', errno: 14, extra: null },
      logs_excerpt: 'last words',
    });
    const error = await failed;
    expect(error.message).toBe('TrueNAS could not do that: Failed creating instance from image: Image not found.');
    expect(refusalOf(error)).toMatchObject({ errno: 14, method: 'virt.instance.create', logs: 'last words' });
  });

  it('fails with what is wrong with the arguments', async () => {
    const nas = await startNas();
    const jobs = new ScriptedJobs(nas);
    const failed = failureOf(
      connect(nas, { timing: EVENTS_ONLY }).job('virt.instance.create', create, text),
      'invalid',
    );
    await until(() => jobs.jobs.length === 1);
    await pause(10);
    jobs.tell({
      state: 'FAILED',
      error: '[EINVAL] virt_instance_create.cpu: Cannot reserve more than system cores\n',
      exc_info: { type: 'VALIDATION', errno: null, extra: [['virt_instance_create.cpu', 'Cannot reserve more', 22]] },
    });
    const error = await failed;
    expect(error.message).toBe('TrueNAS does not accept this: cpu: Cannot reserve more.');
    expect(refusalOf(error)?.extra).toEqual([
      { attribute: 'virt_instance_create.cpu', message: 'Cannot reserve more', errno: 22 },
    ]);
  });

  it('says that somebody aborted it', async () => {
    const nas = await startNas();
    const jobs = new ScriptedJobs(nas);
    const failed = failureOf(connect(nas, { timing: POLLS_ONLY }).job('virt.instance.create', create, text), 'failed');
    await until(() => jobs.jobs.length === 1);
    jobs.change({ state: 'ABORTED' });
    expect((await failed).message).toContain('aborted');
  });

  it('stops waiting when it is cancelled, and leaves the job alone', async () => {
    const nas = await startNas();
    const jobs = new ScriptedJobs(nas);
    const api = connect(nas, { timing: POLLS_ONLY });
    const stop = new AbortController();
    const cancelled = failureOf(api.job('virt.instance.create', create, text, { signal: stop.signal }), 'cancelled');
    await until(() => nas.count('core.get_jobs') > 0);
    stop.abort();
    await cancelled;
    expect(nas.count('core.job_abort')).toBe(0);
    expect(jobs.jobs).toHaveLength(1);
    const early = api.job('virt.instance.create', create, text, { signal: AbortSignal.abort() });
    await failureOf(early, 'cancelled');
    expect(jobs.jobs).toHaveLength(1);
  });

  it('ends after its time', async () => {
    const nas = await startNas();
    new ScriptedJobs(nas);
    const late = connect(nas).job('virt.instance.create', create, text, { limitMs: 60 });
    expect((await failureOf(late, 'timeout')).hint).toContain('may still finish');
  });

  it('ends when the connection is closed for good', async () => {
    const nas = await startNas();
    const jobs = new ScriptedJobs(nas);
    const api = connect(nas, { timing: EVENTS_ONLY });
    const broken = failureOf(api.job('virt.instance.create', create, text), 'unreachable');
    await until(() => jobs.jobs.length === 1);
    await pause(10);
    api.close();
    await broken;
  });
});

describe('a job whose connection breaks', () => {
  it('goes on where it is the same one, also when it ends before anybody is back', async () => {
    const nas = await startNas();
    const jobs = new ScriptedJobs(nas);
    const made = connect(nas, { timing: EVENTS_ONLY }).job('virt.instance.create', create, text);
    await until(() => jobs.jobs.length === 1);
    await pause(10);
    nas.cut();
    jobs.change(done);
    expect(await made).toBe('made');
    expect(nas.count('core.subscribe')).toBe(2);
    expect(nas.count('core.get_jobs')).toBe(1);
  });

  it('is followed by events on the new connection once it was found to be the same', async () => {
    const nas = await startNas();
    const jobs = new ScriptedJobs(nas);
    const seen: string[] = [];
    const onProgress = ({ message }: Progress): void => void seen.push(message);
    const made = connect(nas, { timing: EVENTS_ONLY }).job('virt.instance.create', create, text, { onProgress });
    await until(() => jobs.jobs.length === 1);
    await pause(10);
    nas.cut();
    await until(() => nas.count('core.get_jobs') === 1);
    await pause(20);
    jobs.tell({ progress: { percent: 0, description: 'Unpacking' } });
    jobs.tell(done);
    expect(await made).toBe('made');
    expect(seen).toEqual(['Unpacking']);
  });

  it('is the same one although its secrets are hidden and defaults were added', async () => {
    const nas = await startNas();
    const jobs = new ScriptedJobs(nas, 'x');
    const params = [{ name: 'px-a', environment: { TOKEN: 'secret' }, gone: undefined }, 'pw', [1, { a: 1 }]];
    const made = connect(nas, { timing: EVENTS_ONLY }).job('x', params, text);
    await until(() => jobs.jobs.length === 1);
    await pause(10);
    const seen = [{ name: 'px-a', environment: '********', autostart: true }, '********', [1, { a: 1 }], null];
    jobs.change({ ...done, arguments: seen });
    nas.cut();
    expect(await made).toBe('made');
  });

  it.each([
    ['there is no such job any more', (jobs: ScriptedJobs) => void (jobs.jobs = [])],
    ['the number means another method', (jobs: ScriptedJobs) => void jobs.change({ ...done, method: 'cronjob.run' })],
    [
      'the number means another sandbox',
      (jobs: ScriptedJobs) => void jobs.change({ ...done, arguments: [{ name: 'px-b' }] }),
    ],
    ['the number means a job with less', (jobs: ScriptedJobs) => void jobs.change({ ...done, arguments: [] })],
    ['the arguments are something else', (jobs: ScriptedJobs) => void jobs.change({ ...done, arguments: 'px-a' })],
  ])('has an unknown outcome when %s', async (_, restart) => {
    const nas = await startNas();
    const jobs = new ScriptedJobs(nas);
    const unknown = failureOf(
      connect(nas, { timing: EVENTS_ONLY }).job('virt.instance.create', create, text),
      'unreachable',
    );
    await until(() => jobs.jobs.length === 1);
    await pause(10);
    nas.cut();
    restart(jobs);
    const error = await unknown;
    expect(error.message).toContain('may be done or not');
    expect(error.hint).toContain('Look at the sandbox');
  });

  it('does not trust an event on the new connection before it has looked', async () => {
    const nas = await startNas();
    const jobs = new ScriptedJobs(nas);
    const made = connect(nas, { timing: EVENTS_ONLY }).job('virt.instance.create', create, text);
    await until(() => jobs.jobs.length === 1);
    await pause(10);
    nas.on('core.get_jobs', async ({ connection }: { connection: Connection }) => {
      const foreign = { id: 101, method: 'cronjob.run', arguments: [1], state: 'SUCCESS', result: 'foreign' };
      connection.event('core.get_jobs', 'changed', 101, foreign);
      await pause(20);
      return [jobs.change(done)];
    });
    nas.cut();
    expect(await made).toBe('made');
  });

  it('has an unknown outcome when it breaks before the id was told', async () => {
    const nas = await startNas();
    new ScriptedJobs(nas, 'virt.instance.create', (_, { connection }) => {
      connection.socket.terminate();
      return SILENCE;
    });
    await failureOf(connect(nas).job('virt.instance.create', create, text), 'unreachable');
  });

  it('has an unknown outcome when the key is not accepted any more', async () => {
    const nas = await startNas();
    const jobs = new ScriptedJobs(nas);
    const unknown = failureOf(
      connect(nas, { timing: EVENTS_ONLY }).job('virt.instance.create', create, text),
      'unreachable',
    );
    await until(() => jobs.jobs.length === 1);
    await pause(10);
    nas.on('auth.login_ex', () => ({ response_type: 'EXPIRED' }));
    nas.cut();
    expect((await unknown).message).toContain('may be done or not');
    expect(nas.count('auth.login_ex')).toBe(2);
  });

  it('survives a server that is away for a while', async () => {
    const nas = await startNas();
    const jobs = new ScriptedJobs(nas);
    const made = connect(nas, { timing: POLLS_ONLY }).job('virt.instance.create', create, text);
    await until(() => jobs.jobs.length === 1);
    await pause(10);
    await nas.down();
    await pause(200);
    jobs.change(done);
    await nas.up();
    expect(await made).toBe('made');
    expect(nas.connections).toHaveLength(2);
  });
});
