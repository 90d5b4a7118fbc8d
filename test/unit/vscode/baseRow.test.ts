import { expect, it, vi } from 'vitest';
import { parseBaseName, type BaseRecord } from '../../../src/sandbox/base';
import type { Mark } from '../../../src/sandbox/mark';
import type { Sandbox } from '../../../src/sandbox/sandbox';

vi.mock('vscode', () => import('./fakeVscode'));

const { baseRow } = await import('../../../src/vscode/tree/baseRow');

const agent = parseBaseName('agent');
const record: BaseRecord = {
  name: agent,
  hash: 'now',
  recipe: 'agent',
  outcome: 'ready',
  since: Date.now() - 7_200_000,
};

function sandbox(change: Partial<BaseRecord> = {}, mark?: Mark): Sandbox {
  return { state: { base: JSON.stringify({ ...record, ...change }) }, mark } as unknown as Sandbox;
}

const mark: Mark = { action: 'create', id: 'x', host: 'elsewhere', pid: 1, since: Date.now() };

it('says how a base stands, and how old it is', () => {
  const row = baseRow(agent, sandbox(), 'now', undefined);
  expect(row).toMatchObject({ label: 'agent', description: 'complete · 2 hr. ago', icon: { id: 'check' } });
  expect(row.tags).toEqual(['base', 'ready']);
});

it('is stale where it would be made of something else now, and not where nobody knows', () => {
  expect(baseRow(agent, sandbox(), 'later', undefined)).toMatchObject({
    description: 'stale · 2 hr. ago',
    tags: ['base', 'stale'],
  });
  expect(baseRow(agent, sandbox(), undefined, undefined).tags).toEqual(['base', 'ready']);
});

it('names the step that failed', () => {
  const row = baseRow(agent, sandbox({ outcome: 'failed', failed: 'Codex' }), 'now', undefined);
  expect(row).toMatchObject({ description: 'Codex failed', tags: ['base', 'failed'] });
});

it('tells a build that goes on elsewhere from one that was cut off', () => {
  const building = { outcome: 'building' } as const;
  expect(baseRow(agent, sandbox(building, mark), 'now', undefined)).toMatchObject({
    description: 'being built',
    icon: { id: 'loading~spin' },
  });
  expect(baseRow(agent, sandbox(building, { ...mark, since: 0 }), 'now', undefined)).toMatchObject({
    description: 'build unfinished',
    icon: { id: 'warning' },
  });
});

it('says what this window does to it without saying its name again, also before the server has it', () => {
  const activity = 'Building the base agent: installing Codex, 5 of 6';
  expect(baseRow(agent, undefined, undefined, activity)).toMatchObject({
    description: 'installing Codex, 5 of 6',
    tags: ['base', 'working'],
  });
});

it('leaves alone what has its name, but was not made by Pixels', () => {
  const foreign = { state: {}, mark: undefined } as unknown as Sandbox;
  expect(baseRow(agent, foreign, 'now', undefined)).toMatchObject({ description: 'not made by Pixels' });
});
