import { beforeEach, expect, it, vi } from 'vitest';
import { instanceOfBase, parseBaseName } from '../../../src/sandbox/base';
import { cancelled, PixelsError } from '../../../src/sandbox/errors';
import type { Run } from '../../../src/sandbox/host';
import { silentLog } from '../../../src/sandbox/log';

vi.mock('vscode', () => import('./fakeVscode'));

const { Activity } = await import('../../../src/vscode/activity');
const { BaseBuilds } = await import('../../../src/vscode/baseBuilds');

const agent = parseBaseName('agent');
const row = instanceOfBase(agent);

interface Build {
  readonly run: Run;
  readonly end: (isNew: boolean) => void;
  readonly fail: (error: Error) => void;
}
let started: Build[];
let warnings: string[];
let undone: number;
let activity: InstanceType<typeof Activity>;
let builds: InstanceType<typeof BaseBuilds>;

/** A cancelled build undoes what it did, which takes a moment. */
const bases = {
  build: (_: string, __: object, run: Run) =>
    new Promise<boolean>((end, fail) => {
      run.signal?.addEventListener('abort', () => setTimeout(() => fail((undone++, cancelled())), 20));
      started.push({ run, end, fail });
    }),
};

beforeEach(() => {
  [started, warnings, undone] = [[], [], 0];
  activity = new Activity();
  const current = { use: (work: (pixels: unknown) => unknown) => work({ bases }) };
  const log = { ...silentLog, warn: (text: string) => warnings.push(text) };
  builds = new BaseBuilds(current as never, activity, log);
});

it('shows on the row what goes on in the background, and nothing afterwards', async () => {
  builds.inBackground(agent);
  expect(activity.of(row)).toBe('Building the base agent');
  started[0]!.run.onProgress?.({ message: 'Building the base agent: installing Codex, 1 of 6' });
  expect(activity.of(row)).toContain('installing Codex');
  started[0]!.end(true);
  await vi.waitFor(() => expect(activity.names).toEqual([]));
  expect(warnings).toEqual([]);
});

it('builds a base once, however often it is wanted', () => {
  builds.inBackground(agent);
  builds.inBackground(agent);
  expect(started).toHaveLength(1);
});

it('leaves word in the log of a build that nobody waits for, unless somebody cancelled it', async () => {
  builds.inBackground(agent);
  started[0]!.fail(new PixelsError('failed', 'There is no space left.'));
  await vi.waitFor(() => expect(warnings.join()).toContain('There is no space left.'));
  builds.inBackground(agent);
  builds.cancel(agent);
  await vi.waitFor(() => expect(activity.names).toEqual([]));
  expect(warnings).toHaveLength(1);
});

it('ends only when what was cancelled is undone, and begins nothing any more', async () => {
  builds.inBackground(agent);
  const waited = builds.build(bases as never, parseBaseName('dev'), { again: false }, {});
  waited.catch(() => undefined);
  await builds.end();
  expect(undone).toBe(2);
  await expect(waited).rejects.toMatchObject({ kind: 'cancelled' });
  const late = builds.build(bases as never, agent, { again: false }, {});
  expect(started[2]!.run.signal?.aborted).toBe(true);
  started[2]!.fail(cancelled());
  await expect(late).rejects.toMatchObject({ kind: 'cancelled' });
});
