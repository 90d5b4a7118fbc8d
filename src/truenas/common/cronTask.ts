import * as z from 'zod/mini';
import { isKind } from '../../sandbox/errors';
import type { Log } from '../../sandbox/log';
import type { TrueNasApi } from '../api';
import type { About } from '../errors';

/*
 * TrueNAS has no call that runs a command. Its cron jobs do when they are run by hand: one is made, disabled, run once
 * and deleted. Needs the role SYSTEM_CRON_WRITE, and runs as root (MW:plugins/cron.py).
 */

/** What the descriptions of our cron jobs begin with; in the web interface they are seen while a copy is under way. */
const MARKER = 'Pixels: ';

/** Copies take minutes for each 10 GB. */
const RUN_LIMIT_MS = 2 * 60 * 60_000;

/**
 * A cron job that does not run is run within moments of being made, or was just run; older ones were left by a process that
 * died. Generous, since the clock of whoever made it may be wrong.
 */
const OLD_MS = 15 * 60_000;

const NEVER = { minute: '00', hour: '00', dom: '1', month: '1', dow: '1' };

const taskSchema = z.object({ id: z.number(), description: z.string() });
const createdSchema = z.object({ id: z.number() });
const jobSchema = z.object({ arguments: z.array(z.unknown()) });

interface Task {
  /** What it does, in a few words, with the full name of the instance: it is found by that again. */
  readonly title: string;
  /** One line, for `sh`; silent unless it fails, since TrueNAS sends its output to root by mail. */
  readonly command: string;
  readonly about: About;
}

/**
 * Runs a command as root on the NAS and waits for its end. @throws what the command's failure is, with its output as
 * logs.
 */
export async function runOnce(api: TrueNasApi, task: Task, log: Log): Promise<void> {
  const { title, command, about } = task;
  const description = `${MARKER}${title} (temporary, ${new Date().toISOString()})`;
  const body = { command, user: 'root', description, enabled: false, stdout: false, stderr: false, schedule: NEVER };
  const { id } = await api.call('cronjob.create', [body], createdSchema, { about });
  try {
    // The second argument is `skip_disabled`.
    await api.job('cronjob.run', [id, false], z.unknown(), { about, limitMs: RUN_LIMIT_MS });
  } catch (error) {
    // It may still be running, and is found by its cron job then.
    if (!isKind(error, 'unreachable', 'timeout', 'cancelled')) await remove(api, id, log);
    throw error;
  }
  await remove(api, id, log);
}

/** Whether a task with this title is running (or waits to), whoever has begun it. */
export async function isRunning(api: TrueNasApi, title: string): Promise<boolean> {
  return (await withTitle(api, title)).some((task) => task.isRunning);
}

/**
 * The same, for somebody who knows that nobody else is about to run one: those that do not run are deleted, whose process died
 * or lost its connection.
 */
export async function isStillRunning(api: TrueNasApi, title: string, log: Log): Promise<boolean> {
  const tasks = await withTitle(api, title);
  for (const task of tasks) if (!task.isRunning) await remove(api, task.id, log);
  return tasks.some((task) => task.isRunning);
}

async function withTitle(api: TrueNasApi, title: string): Promise<readonly { id: number; isRunning: boolean }[]> {
  const tasks = (await ours(api)).filter(({ description }) => description.startsWith(`${MARKER}${title} (`));
  if (tasks.length === 0) return [];
  const busy = await running(api);
  return tasks.map(({ id }) => ({ id, isRunning: busy.has(id) }));
}

/**
 * Deletes what dead processes have left. Young ones stay: another editor may have made one and not run it yet.
 * @returns whether any of ours is left.
 */
export async function removeOldTasks(api: TrueNasApi, log: Log, now = Date.now()): Promise<boolean> {
  const tasks = await ours(api);
  const old = tasks.filter(({ description }) => now - timeOf(description) > OLD_MS);
  const busy = old.length === 0 ? new Set() : await running(api);
  const dead = old.filter(({ id }) => !busy.has(id));
  for (const { id } of dead) await remove(api, id, log);
  return dead.length < tasks.length;
}

/** When a task was made, in ms since 1970. One that does not say is as old as can be. */
export function timeOf(description: string): number {
  const [, time = ''] = / \(temporary, ([-\dT:.]+Z)\)$/.exec(description) ?? [];
  return Date.parse(time) || 0;
}

async function ours(api: TrueNasApi): Promise<z.infer<typeof taskSchema>[]> {
  return api.call('cronjob.query', [[['description', '^', MARKER]]], z.array(taskSchema));
}

/** Ids of the cron jobs that run now, or wait for others to end. */
async function running(api: TrueNasApi): Promise<ReadonlySet<unknown>> {
  const filters = [
    ['method', '=', 'cronjob.run'],
    ['state', 'in', ['WAITING', 'RUNNING']],
  ];
  const jobs = await api.call('core.get_jobs', [filters], z.array(jobSchema));
  return new Set(jobs.map((job) => job.arguments[0]));
}

/** Twice, since the first may have been what the connection broke at. */
async function remove(api: TrueNasApi, id: number, log: Log): Promise<void> {
  for (let isLast = false; ; isLast = true) {
    try {
      await api.call('cronjob.delete', [id], z.unknown());
      return;
    } catch (error) {
      if (isKind(error, 'not-found')) return;
      if (!isLast && !isKind(error, 'timeout')) continue;
      log.warn(`cron job ${id} of Pixels could not be deleted; a later connection tries again: ${String(error)}`);
      return;
    }
  }
}
