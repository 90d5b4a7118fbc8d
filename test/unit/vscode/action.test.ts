import { beforeEach, expect, it, vi } from 'vitest';
import { cancelled, PixelsError } from '../../../src/sandbox/errors';
import type { SandboxName } from '../../../src/sandbox/name';
import { told } from './fakeVscode';

vi.mock('vscode', () => import('./fakeVscode'));

const { Activity } = await import('../../../src/vscode/activity');
const { runAction } = await import('../../../src/vscode/action');

const web = 'web' as SandboxName;

function makeFace() {
  const activity = new Activity();
  const said: (string | undefined)[] = [];
  activity.onDidChange((name) => said.push(activity.of(name)));
  const face = {
    activity,
    log: { error: () => undefined },
    current: { use: (work: (pixels: unknown) => Promise<unknown>) => work({}) },
  };
  return { face: face as never, said };
}

beforeEach(() => {
  told.errors.length = 0;
});

it('shows on the row what is being done, and nothing afterwards', async () => {
  const { face, said } = makeFace();
  const outcome = await runAction(face, { title: 'Stopping web', rows: [web] }, (_, run) => {
    run.onProgress?.({ message: 'Nearly there', fraction: 0.9 });
    return Promise.resolve(7);
  });
  expect(outcome).toEqual({ kind: 'ok', value: 7 });
  expect(said).toEqual(['Stopping web', '90 % · Nearly there', undefined]);
});

it('tells an error once, as a sentence, with what helps first', async () => {
  const { face } = makeFace();
  const error = new PixelsError('timeout', 'web does not shut down.', { hint: 'Use force.' });
  const recover = () => [{ title: 'Force Stop', run: () => undefined }];
  const outcome = await runAction(face, { title: 'x', rows: [web], recover }, () => Promise.reject(error));
  expect(outcome).toEqual({ kind: 'error', error });
  expect(told.errors).toEqual([{ text: 'web does not shut down. Use force.', buttons: ['Force Stop', 'Show Log'] }]);
});

it('says nothing when a person cancelled', async () => {
  const { face } = makeFace();
  expect(await runAction(face, { title: 'x', rows: [web] }, () => Promise.reject(cancelled()))).toEqual({
    kind: 'cancelled',
  });
  expect(told.errors).toEqual([]);
});

it('makes no link of what was said in a sandbox: one could run a command of the editor', async () => {
  const { face } = makeFace();
  const error = new PixelsError('failed', 'Inside web: [see here](command:workbench.action.quit).');
  await runAction(face, { title: 'x', rows: [web] }, () => Promise.reject(error));
  expect(told.errors.at(-1)?.text).toBe('Inside web: [see here] (command:workbench.action.quit).');
});
