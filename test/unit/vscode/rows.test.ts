import { describe, expect, it, vi } from 'vitest';
import type { Mark } from '../../../src/sandbox/mark';
import type { CheckpointLabel, SandboxName } from '../../../src/sandbox/name';
import type { ProvisionProgress, ProvisionRecord, StepProgress } from '../../../src/sandbox/provisioning';
import type { Lacks, Sandbox } from '../../../src/sandbox/sandbox';

vi.mock('vscode', () => import('./fakeVscode'));

const { sandboxRow } = await import('../../../src/vscode/tree/sandboxRow');
const { recipeState } = await import('../../../src/vscode/recipeState');
const { recipeRow } = await import('../../../src/vscode/tree/recipeRow');
const { checkpointRow } = await import('../../../src/vscode/tree/checkpointRow');
const { troubleRow } = await import('../../../src/vscode/tree/troubleRow');
const { age, size } = await import('../../../src/vscode/tree/format');
const { PixelsError } = await import('../../../src/sandbox/errors');

const web = 'web' as SandboxName;
const dead: Mark = { action: 'restore', id: 'x', host: 'elsewhere', pid: 1, since: 0 };

function sandbox(change: Partial<Sandbox> = {}): Sandbox {
  return {
    name: web,
    status: 'running',
    addresses: ['10.0.0.5', 'fd00::5'],
    cpu: undefined,
    memoryMiB: undefined,
    createdAt: new Date(0),
    image: undefined,
    checkpointCount: 0,
    state: {},
    mark: undefined,
    ...change,
  };
}

const row = (of: Sandbox, lacks: Lacks = {}) => sandboxRow(web, of, undefined, lacks);

describe('a sandbox row', () => {
  it('shows the address while it runs, and the status while it does not', () => {
    expect(row(sandbox())).toMatchObject({ label: 'web', description: '10.0.0.5' });
    expect(row(sandbox({ addresses: [] })).description).toBe('running');
    expect(row(sandbox({ status: 'stopped' })).description).toBe('stopped');
  });

  it('carries its status as tags', () => {
    expect(row(sandbox()).tags).toEqual(['sandbox', 'running']);
    expect(row(sandbox({ mark: dead })).tags).toEqual(['sandbox', 'running', 'unfinished']);
  });

  it('says in its tags that the server takes no checkpoints', () => {
    const lacks = { checkpoints: 'There are none.' };
    expect(row(sandbox(), lacks).tags).toEqual(['sandbox', 'running', 'no-checkpoints']);
    expect(row(sandbox(), { memoryLimit: 'There is none.' }).tags).toEqual(['sandbox', 'running']);
    const checkpoint = { label: 'old' as CheckpointLabel, createdAt: new Date(), sizeBytes: undefined };
    expect(checkpointRow(checkpoint, lacks).tags).toEqual(['checkpoint', 'no-checkpoints']);
  });

  it('says that an action was never finished, and which', () => {
    expect(row(sandbox({ mark: dead }))).toMatchObject({ description: 'restore unfinished', icon: { id: 'warning' } });
  });

  it('says what somebody else is doing to it', () => {
    const mark: Mark = { ...dead, action: 'create', since: Date.now() };
    expect(row(sandbox({ mark }))).toMatchObject({
      description: 'being created',
      icon: { id: 'loading~spin' },
    });
  });

  it('says what this window is doing to it, even before the server lists it', () => {
    expect(sandboxRow(web, undefined, 'Creating web', {})).toMatchObject({
      description: 'Creating web',
      tags: ['sandbox', 'working'],
      icon: { id: 'loading~spin' },
    });
  });

  it('can be expanded when there are checkpoints', () => {
    expect(row(sandbox()).expandable).toBe('no');
    expect(row(sandbox({ checkpointCount: 1 })).expandable).toBe('collapsed');
  });

  it('is read out with its status and its address', () => {
    expect(row(sandbox()).spoken).toBe('web, running, 10.0.0.5');
  });
});

describe('a recipe', () => {
  it('is in the row of its sandbox while it is carried out, without a word about a sandbox that can be used', () => {
    const row = rowWith({ outcome: 'running' }, running(codex));
    expect(row).toMatchObject({ description: 'installing Codex, 5 of 6', icon: { id: 'vm-running' } });
    expect(row.tags).toEqual(['sandbox', 'running', 'provisioning']);
    expect(row.spoken).toBe('web, running, 10.0.0.5, installing Codex, 5 of 6');
  });

  it('has a row of its own that says more about the step', () => {
    const row = recipeRowWith({ outcome: 'running' }, running({ ...codex, source: 'the npm registry', retries: 1 }));
    expect(row).toMatchObject({
      label: 'Installing Codex',
      description: '5 of 6 · from the npm registry · second try',
      icon: { id: 'loading~spin' },
      tags: ['recipe', 'running', 'provisioning'],
    });
  });

  it.each([
    [0, 'installing Codex, 5 of 6'],
    [1, 'installing Codex, 5 of 6, second try'],
    [2, 'installing Codex, 5 of 6, third try'],
    [3, 'installing Codex, 5 of 6, try 4'],
  ])('says how often a step is tried: after %i failures', (retries, words) => {
    expect(rowWith({ outcome: 'running' }, running({ ...codex, retries })).description).toBe(words);
  });

  it('is named before its sandbox has said anything', () => {
    expect(rowWith({ outcome: 'running' }, undefined).description).toBe('installing agent');
    const own = recipeRowWith({ outcome: 'running', recipe: '/home/me/recipes/lab.toml' }, undefined);
    expect(own).toMatchObject({ label: 'Recipe lab', description: 'waiting to begin' });
  });

  it('leaves the row of its sandbox alone once it is complete', () => {
    const row = rowWith({ outcome: 'done' }, undefined);
    expect(row).toMatchObject({ description: '10.0.0.5', icon: { color: 'charts.green' } });
    expect(row.tags).toContain('provisioned');
    expect(recipeRowWith({ outcome: 'done' }, undefined)).toMatchObject({
      label: 'Recipe agent',
      description: 'complete',
      icon: { id: 'check' },
    });
  });

  it('shows on both rows which step failed, also when nobody has asked the sandbox', () => {
    const record = { outcome: 'failed', failed: 'Claude Code' } as const;
    const row = rowWith(record, undefined);
    expect(row).toMatchObject({
      description: 'Claude Code failed · 10.0.0.5',
      icon: { id: 'vm-running', color: 'list.warningForeground' },
    });
    expect(row.tags).toContain('provision-failed');
    expect(recipeRowWith(record, undefined)).toMatchObject({
      label: 'Claude Code failed',
      description: 'recipe agent',
      icon: { id: 'error' },
      tags: ['recipe', 'running', 'provision-failed'],
    });
    expect(rowWith(record, undefined, { status: 'stopped' }).description).toBe('Claude Code failed · stopped');
  });

  it('ends on its row as soon as the sandbox says so, before that is kept on the server', () => {
    const ended = { ...running({ ...codex, outcome: 'failed' }), outcome: 'failed' } as const;
    expect(recipeRowWith({ outcome: 'running' }, ended).label).toBe('Codex failed');
    expect(recipeRowWith({ outcome: 'running' }, { ...ended, outcome: 'done' }).icon.id).toBe('check');
  });

  it('says that it goes on later when its sandbox does not run', () => {
    const row = recipeRowWith({ outcome: 'running' }, running(codex), { status: 'stopped' });
    expect(row).toMatchObject({ label: 'Recipe agent', description: 'goes on when it is started' });
    expect(rowWith({ outcome: 'running' }, running(codex), { status: 'stopped' }).description).toBe('stopped');
  });

  it('does not hide that something else was interrupted', () => {
    const row = rowWith({ outcome: 'failed' }, undefined, { mark: dead });
    expect(row).toMatchObject({ description: 'restore unfinished', icon: { id: 'warning' } });
  });

  it('lets its sandbox be expanded', () => {
    expect(rowWith({ outcome: 'done' }, undefined).expandable).toBe('collapsed');
  });

  it('is none where what is kept cannot be read', () => {
    expect(recipeState(sandbox({ state: { provision: '{' } }), undefined)).toBeUndefined();
  });

  const codex: StepProgress = {
    id: 'codex',
    title: 'Codex',
    number: 5,
    outcome: 'running',
    retries: 0,
    lastLines: [],
  };

  function running(step: StepProgress): ProvisionProgress {
    return { outcome: 'running', stepCount: 6, steps: [step] };
  }

  function provisioned(record: Partial<ProvisionRecord>, change: Partial<Sandbox> = {}): Sandbox {
    return sandbox({ ...change, state: { provision: JSON.stringify({ recipe: 'agent', hash: 'x', ...record }) } });
  }

  function rowWith(
    record: Partial<ProvisionRecord>,
    progress: ProvisionProgress | undefined,
    change?: Partial<Sandbox>,
  ) {
    const kept = provisioned(record, change);
    return sandboxRow(web, kept, undefined, {}, recipeState(kept, progress));
  }

  function recipeRowWith(
    record: Partial<ProvisionRecord>,
    progress: ProvisionProgress | undefined,
    change?: Partial<Sandbox>,
  ) {
    const kept = provisioned(record, change);
    return recipeRow(recipeState(kept, progress)!, kept.status);
  }
});

describe('a checkpoint row', () => {
  const createdAt = new Date(Date.now() - 5 * 60_000);

  it('has label, age and size', () => {
    const row = checkpointRow({ label: 'ready' as CheckpointLabel, createdAt, sizeBytes: 1_300_000 }, {});
    expect(row).toMatchObject({ label: 'ready', description: '5 min. ago · 1.2 MiB', tags: ['checkpoint'] });
  });

  it('leaves out a size that the storage does not say', () => {
    const row = checkpointRow({ label: 'ready' as CheckpointLabel, createdAt, sizeBytes: undefined }, {});
    expect(row.description).toBe('5 min. ago');
  });

  it('calls what a restore keeps by what it is', () => {
    const label = 'before-restore-2026-11-23-140501' as CheckpointLabel;
    const row = checkpointRow({ label, createdAt, sizeBytes: undefined }, {});
    expect(row).toMatchObject({ label: 'before the last restore', tags: ['checkpoint', 'safety'] });
  });
});

describe('trouble', () => {
  it('is a row that says what kind it is', () => {
    const row = troubleRow(new PixelsError('unreachable', 'No server answers at /x.'));
    expect(row).toMatchObject({ label: 'Not connected', tags: ['trouble', 'unreachable'] });
  });
});

describe('ages and sizes', () => {
  it.each([
    [0, 'just now'],
    [-5000, 'just now'],
    [59_000, 'just now'],
    [60_000, '1 min. ago'],
    [3_599_000, '59 min. ago'],
    [7_200_000, '2 hr. ago'],
    [90_000_000, '1 day ago'],
    [40 * 86_400_000, '1 mo. ago'],
    [800 * 86_400_000, '2 yr. ago'],
  ])('%i ms is %s', (passedMs, words) => {
    expect(age(new Date(1e12), 1e12 + passedMs)).toBe(words);
  });

  it.each([
    [0, '0 B'],
    [1023, '1,023 B'],
    [1024, '1 KiB'],
    [1_572_864, '1.5 MiB'],
    [157_286_400, '150 MiB'],
    [5 * 2 ** 40, '5 TiB'],
    [5 * 2 ** 60, '5,242,880 TiB'],
  ])('%i bytes are %s', (bytes, words) => {
    expect(size(bytes)).toBe(words);
  });
});
