import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { commandRequest, guestSetup } from '../../src/provision';
import { isKind, PixelsError, sentence } from '../../src/sandbox/errors';
import { outputOf } from '../../src/sandbox/exec';
import type { Run, SandboxHost } from '../../src/sandbox/host';
import { Inventory } from '../../src/sandbox/inventory';
import { Lifecycle } from '../../src/sandbox/lifecycle';
import { silentLog } from '../../src/sandbox/log';
import { isUnderWay } from '../../src/sandbox/mark';
import { parseLabel, parseName, type SandboxName } from '../../src/sandbox/name';
import type { Sandbox } from '../../src/sandbox/sandbox';
import { connectTrueNasHost } from '../../src/truenas';
import type { Timing } from '../../src/truenas/limits';
import { makeTestProject, type TestProject } from '../support/testProject';
import { startTrueNasServer, type Misbehaviour, type Profile, type TrueNasServer } from '../truenas-server';
import { wellBehaved } from '../truenas-server/misbehaviour';
import { eventually } from './support';

/*
 * The use cases in bad weather, on the real adapter and the test server. Whatever happens, each ends in time, done or with one
 * sentence; nothing that was there is lost; what is half done is marked and can be finished; no cron job and no snapshot of ours
 * is left; and the key is still good.
 */

const source = parseName('source');
const victim = parseName('victim');
const ready = parseLabel('ready');

/** So long may a use case take here, with the longest outage. */
const IN_TIME_MS = 20_000;
/** As the real ones, but shorter. */
const QUICK: Partial<Timing> = {
  loginWindowMs: 100,
  firstDelayMs: 100,
  longestDelayMs: 400,
  jobPollMs: 300,
  pingIntervalMs: 150,
  callLimitMs: 15_000,
};

let keys: string;
let publicKey: string;
let world: World;

beforeAll(() => {
  keys = mkdtempSync(path.join(tmpdir(), 'pixels-key-'));
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path.join(keys, 'id')]);
  publicKey = readFileSync(path.join(keys, 'id.pub'), 'utf8').trim();
});
afterAll(() => rmSync(keys, { recursive: true }));

afterEach(() => {
  Object.assign(world.nas.misbehave, wellBehaved());
});

describe('on TrueNAS 25.10', () => {
  beforeAll(async () => {
    world = await openWorld('pixels-weather', '25.10.5');
  });
  afterAll(() => closeWorld());

  it('events out of order, events twice and a late address change nothing', async () => {
    Object.assign(world.nas.misbehave, { eventBeforeAnswer: true, duplicateSuccess: true, slowDhcpMs: 7_000 });
    expect(await attempt(create)).toBe('done');
    expect((await world.host.get(victim)).addresses).toEqual([]);
    const inventory = new Inventory(world.host, silentLog);
    const look = inventory.look();
    expect(await attempt(restore)).toBe('done');
    await eventually(60_000, () => inventory.sandbox(victim)?.addresses[0]);
    look.close();
    expect(await attempt(destroy)).toBe('done');
    expect(await attempt(clone)).toBe('done');
  });

  it('job events that never come are not missed, nor are those of a job longer than an idle connection may be', async () => {
    await prepare(clone);
    Object.assign(world.nas.misbehave, { lostJobEvents: true, idleCutMs: 500 });
    const logins = () => world.nas.calls.filter(({ method }) => method === 'auth.login_ex').length;
    const before = logins();
    const from = { from: { name: source } };
    await world.lifecycle.create({ name: victim, source: from, limits: {}, provision: false });
    await world.lifecycle.destroy(victim);
    expect(logins()).toBe(before);
  });

  it('a crowd of calls waits for its turn, so that none is the 21st', async () => {
    world.nas.misbehave.slowMethods = { 'virt.instance.query': 50 };
    const crowd = Array.from({ length: 40 }, () => world.host.get(source));
    expect(await attempt(create)).toBe('done');
    expect((await Promise.all(crowd)).map(({ name }) => name)).toEqual(crowd.map(() => source));
  });

  it.each([
    ['create', 'virt.instance.create'],
    ['create', 'auth.generate_token'],
    ['clone', 'cronjob.create'],
    ['clone', 'cronjob.run'],
    ['restore', 'virt.instance.stop'],
    ['restore', 'pool.snapshot.rollback'],
    ['destroy', 'virt.instance.delete'],
  ] as const)(
    'a restart of the middleware in the middle of %s, at %s, ends it in a sentence',
    async (action, method) => {
      const restart = async (): Promise<void> => {
        await called(method);
        await world.nas.restartMiddleware({ downMs: 300 });
      };
      expect(await attempt(USE_CASES[action], restart)).toMatch(/broke|is not ready|closed the shell/);
    },
  );

  it.each([
    ['create', 'virt.instance.create'],
    ['clone', 'cronjob.create'],
    ['clone', 'cronjob.run'],
    ['restore', 'virt.instance.update'],
    ['destroy', 'virt.instance.update'],
  ] as const)('an answer that is lost in the middle of %s, to %s, ends it in a sentence', async (action, method) => {
    world.nas.misbehave.cutAt = { method, at: 'after' };
    expect(await attempt(USE_CASES[action])).toMatch(/broke/);
  });

  it.each([
    ['create', 'virt.instance.create', 'before'],
    ['create', 'virt.instance.create', 'after'],
    ['create', 'virt.instance.start', 'before'],
    ['create', 'virt.instance.update', 'after'],
    ['clone', 'cronjob.create', 'after'],
    ['clone', 'cronjob.run', 'before'],
    ['clone', 'cronjob.run', 'after'],
    ['restore', 'virt.instance.stop', 'before'],
    ['restore', 'pool.snapshot.rollback', 'after'],
    ['restore', 'virt.instance.start', 'before'],
    ['destroy', 'virt.instance.stop', 'before'],
    ['destroy', 'virt.instance.delete', 'before'],
  ] as const)(
    'a failure in the middle of %s, of %s, %s its work, ends it in a sentence',
    async (action, method, at) => {
      world.nas.misbehave.failStep = { method, at, message: 'the pool is suspended' };
      expect(await attempt(USE_CASES[action])).toContain('the pool is suspended');
    },
  );

  it('a cron job that cannot be removed at the first try does not stay', async () => {
    world.nas.misbehave.failStep = { method: 'cronjob.delete', at: 'before' };
    expect(await attempt(clone)).toBe('done');
  });

  it('a restore that the server refuses is undone, and can be had when the reason is gone', async () => {
    await prepare(restore);
    await world.host.createCheckpoint(victim, parseLabel('newer'));
    const id = `tank/.ix-virt/containers/px-${victim}@px-newer`;
    await world.nas.call('pool.snapshot.hold', [id]);
    expect(await attempt(restore)).toContain('holds a newer snapshot');
    expect(await world.host.get(victim)).toMatchObject({ status: 'running', mark: undefined });
    expect(await inVictim('cat note')).toBe('after');
    await world.nas.call('pool.snapshot.release', [id]);
    expect(await attempt(restore)).toBe('done');
  });

  it('the passive controller of a pair names the other one, and nothing is begun there', async () => {
    await prepare(restore);
    world.nas.misbehave.standby = 'https://other.lan';
    const passive = connect();
    for (const action of [create, clone, restore, destroy]) {
      // The tests before this one have used up most of the logins that a minute has: then it says so, and waiting helps.
      const said = () => action(lifecycleOf(passive), {}).catch(sentenceOf);
      await expect.poll(said, { timeout: 90_000, interval: 2_000 }).toContain('other.lan');
    }
    passive.close();
    world.nas.misbehave.standby = null;
    expect(await attempt(restore)).toBe('done');
  });

  describe('a NAS that hangs', () => {
    it.each([
      ['restore', 'virt.instance.update'],
      ['destroy', 'virt.instance.stop'],
      ['create', 'virt.instance.start'],
    ] as const)('in the middle of %s, at %s, can be left, also when it is then restarted', async (action, method) => {
      const abort = new AbortController();
      world.nas.misbehave.hangMethods = [method];
      const cancel = async (): Promise<void> => {
        await called(method);
        abort.abort();
        await delay(200);
        world.nas.misbehave.hangMethods = [];
        await world.nas.restartMiddleware({ downMs: 300 });
      };
      expect(await attempt(USE_CASES[action], cancel, { signal: abort.signal })).toBe('Cancelled.');
    });

    it('is given up in time, with a sentence', async () => {
      const impatient = connect({ callLimitMs: 500 });
      world.nas.misbehave.hangMethods = ['virt.instance.query'];
      await expect(lifecycleOf(impatient).restore(victim, ready)).rejects.toMatchObject({
        kind: 'timeout',
        message: expect.stringContaining('does not answer in time') as string,
      });
      impatient.close();
    });
  });
});

describe('on a TrueNAS 26 that protects the datasets of containers', () => {
  beforeAll(async () => {
    world = await openWorld('pixels-weather-26', '26.0');
  });
  afterAll(() => closeWorld());

  it('a checkpoint cannot be taken or gone back to, which is said before anything is touched', async () => {
    await prepare(restore);
    world.nas.misbehave.protectedPaths = true;
    expect(await attempt(restore)).toContain('protects the datasets');
    expect(await world.host.get(victim)).toMatchObject({ status: 'running', mark: undefined });
    expect(await inVictim('cat note')).toBe('after');
    await expect(world.lifecycle.createCheckpoint(victim)).rejects.toThrow('protects the datasets');
  });

  it('the rest works', async () => {
    world.nas.misbehave.protectedPaths = true;
    expect(await attempt(destroy)).toBe('done');
    expect(await attempt(clone)).toBe('done');
  });
});

interface World {
  readonly project: TestProject;
  readonly nas: TrueNasServer;
  readonly host: SandboxHost;
  readonly lifecycle: Lifecycle;
  readonly image: string;
}

type UseCase = (lifecycle: Lifecycle, run: Run) => Promise<void>;

const common = { name: victim, limits: {}, provision: true };
const create: UseCase = (lifecycle, run) =>
  lifecycle.create({ ...common, source: { image: world.image, placement: {} } }, run);
const clone: UseCase = (lifecycle, run) => lifecycle.create({ ...common, source: { from: { name: source } } }, run);
const restore: UseCase = (lifecycle, run) => lifecycle.restore(victim, ready, run);
const destroy: UseCase = (lifecycle, run) => lifecycle.destroy(victim, run);
const USE_CASES = { create, clone, restore, destroy };

async function openWorld(projectName: string, profile: Profile): Promise<World> {
  const project = await makeTestProject(projectName);
  const { socket } = project;
  const nas = await startTrueNasServer({ socket, project: project.project, incusPool: 'default', profile });
  const image = profile === '26.0' ? 'debian/bookworm' : project.image;
  world = { project, nas, image } as World;
  const host = connect();
  world = { ...world, host, lifecycle: lifecycleOf(host) };
  const request = { limits: {}, provision: true, source: { image, placement: {} } };
  await world.lifecycle.create({ ...request, name: source });
  await run(source, 'echo original > note; sync');
  return world;
}

async function closeWorld(): Promise<void> {
  world.host.close();
  await world.nas.close();
  await world.project.remove();
}

function connect(timing: Partial<Timing> = {}): SandboxHost {
  const { host, port, username, apiKey, fingerprint } = world.nas;
  const target = { host, port, username, apiKey, trust: { kind: 'pin', fingerprint256: fingerprint } } as const;
  return connectTrueNasHost(target, { log: silentLog, timing: { ...QUICK, ...timing } });
}

function lifecycleOf(host: SandboxHost): Lifecycle {
  return new Lifecycle(host, guestSetup({ user: 'pixel', publicKey: () => Promise.resolve(publicKey) }));
}

/** Fair weather: no victim for what makes one; for the others one that runs, with a checkpoint and something newer than that. */
async function prepare(useCase: UseCase): Promise<void> {
  const found = await find();
  if (useCase === create || useCase === clone) {
    if (found !== undefined) await world.lifecycle.destroy(victim);
    return;
  }
  if (found === undefined) await create(world.lifecycle, {});
  const labels = (await world.host.checkpoints(victim)).map(({ label }) => label);
  if (!labels.includes(ready)) {
    await inVictim('echo before > note; sync');
    await world.host.createCheckpoint(victim, ready);
  }
  await inVictim('echo after > note; sync');
}

/**
 * Does a use case in the weather that there is, sees to it that all is well afterwards, and finishes what is marked.
 * @param meanwhile what happens to the server at the same time.
 * @returns `done`, or the sentence that it ended with.
 */
async function attempt(
  useCase: UseCase,
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
  how: Run = {},
): Promise<string> {
  const weather = { ...world.nas.misbehave };
  Object.assign(world.nas.misbehave, wellBehaved());
  await prepare(useCase);
  Object.assign(world.nas.misbehave, weather);
  const begun = Date.now();
  const happening = meanwhile();
  const outcome = await useCase(world.lifecycle, how).then(() => 'done', sentenceOf);
  expect(Date.now() - begun).toBeLessThan(IN_TIME_MS);
  await happening;
  Object.assign(world.nas.misbehave, pleasant(weather));
  const isDone = outcome === 'done';
  await eventually(IN_TIME_MS, async () => ((await isAtWork()) ? undefined : true));
  const left = await find();
  if (isDone) expect(left?.mark).toBeUndefined();
  if (left?.mark !== undefined) {
    expect(isUnderWay(left.mark)).toBe(false); // so its row shows no spinner, and it can be finished
    await world.lifecycle.finish(victim);
  }
  await expectAllWell(useCase, isDone || left?.mark !== undefined);
  return outcome;
}

/** The parts of a weather that are only odd, and under which everything can go on. */
function pleasant({ eventBeforeAnswer, duplicateSuccess, slowDhcpMs, protectedPaths }: Misbehaviour) {
  return { ...wellBehaved(), eventBeforeAnswer, duplicateSuccess, slowDhcpMs, protectedPaths };
}

/** One sentence or two, for a person, and with nothing secret in it. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof PixelsError)) throw error;
  const text = sentence(error);
  expect(text).toMatch(/^[^\n]{1,300}\.$/);
  expect(text).not.toMatch(/\[object|undefined|Traceback|CronTask|PIXELS_META/);
  expect(text).not.toContain(world.nas.apiKey);
  return text;
}

async function expectAllWell(useCase: UseCase, isThrough: boolean): Promise<void> {
  expect(world.nas.keyRevoked(world.nas.apiKey)).toBe(false);
  expect(await world.nas.call('cronjob.query')).toEqual([]);
  const snapshots = (await world.nas.call('pool.snapshot.query', [[], { select: ['name'] }])) as { name: string }[];
  expect(snapshots.filter(({ name }) => name.includes('@pixels-'))).toEqual([]);
  expect(await world.host.get(source)).toMatchObject({ status: 'running', mark: undefined });
  expect(await run(source, 'cat note')).toBe('original');
  const sandbox = await find();
  if (useCase === create || useCase === clone) {
    if (isThrough || sandbox !== undefined) await expectComplete(sandbox);
  } else if (useCase === destroy) {
    if (isThrough) expect(sandbox).toBeUndefined();
    else if (sandbox !== undefined) await expectComplete(sandbox);
  } else {
    await expectComplete(sandbox);
    expect(await inVictim('cat note')).toBe(isThrough ? 'before' : 'after');
    expect((await world.host.checkpoints(victim)).map(({ label }) => label)).toContain(ready);
  }
}

async function expectComplete(sandbox: Sandbox | undefined): Promise<void> {
  expect(sandbox).toMatchObject({ status: 'running', mark: undefined, state: { sshUser: 'pixel' } });
  expect(await inVictim('sudo -n id -un')).toBe('root');
}

/** Resolves as soon as the server has received a call of this method. */
async function called(method: string): Promise<void> {
  const calls = world.nas.calls.length;
  await eventually(IN_TIME_MS, () => world.nas.calls.slice(calls).find((call) => call.method === method));
}

/** Whether the server or its Incus still does what nobody waits for any more. */
async function isAtWork(): Promise<boolean> {
  const jobs = (await world.nas.call('core.get_jobs', [[['state', 'in', ['WAITING', 'RUNNING']]]])) as unknown[];
  const operations = (await world.project.raw.must('GET', '/1.0/operations?recursion=1')) as {
    running?: { class: string }[];
  };
  return jobs.length > 0 || (operations.running ?? []).some((operation) => operation.class === 'task');
}

async function find(): Promise<Sandbox | undefined> {
  try {
    return await world.host.get(victim);
  } catch (error) {
    if (isKind(error, 'not-found')) return undefined;
    throw error;
  }
}

function inVictim(script: string): Promise<string> {
  return run(victim, script);
}

async function run(name: SandboxName, script: string): Promise<string> {
  const request = commandRequest('pixel', ['sh', '-c', script]);
  const { stdout, stderr, exitCode } = await outputOf(world.host, name, request);
  if (exitCode !== 0) throw new Error(`${script}: ${exitCode} ${stderr}`);
  return stdout.trim();
}
