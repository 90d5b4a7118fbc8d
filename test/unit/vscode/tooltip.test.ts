import { expect, it, vi } from 'vitest';
import type { CheckpointLabel, SandboxName } from '../../../src/sandbox/name';
import type { Lacks, Sandbox } from '../../../src/sandbox/sandbox';

vi.mock('vscode', () => import('./fakeVscode'));

const { checkpointTooltip, sandboxTooltip } = await import('../../../src/vscode/tree/tooltip');

const lacks: Lacks = { memoryLimit: 'No memory can be limited.', checkpoints: 'No checkpoint can be taken.' };
const web: Sandbox = {
  name: 'web' as SandboxName,
  status: 'running',
  addresses: ['10.0.0.5'],
  cpu: 2,
  memoryMiB: undefined,
  createdAt: new Date(0),
  image: 'Debian | bookworm',
  checkpointCount: 0,
  state: {},
  mark: undefined,
};

async function tooltipOf(given: Lacks): Promise<string> {
  const pixels = {
    inventory: { checkpoints: () => Promise.resolve([]), lacks: given },
    sshOf: () => ({ alias: 'web.pixels', user: 'pixel' }),
  };
  return (await sandboxTooltip(pixels as never, web, undefined)).value;
}

it('the tooltip of a sandbox says below its facts why something is not offered', async () => {
  const plain = await tooltipOf({});
  expect(plain).toContain('| CPUs&nbsp;&nbsp; | 2 |');
  expect(plain).toContain('Debian \\| bookworm');
  expect(await tooltipOf(lacks)).toBe(`${plain}\n\nNo memory can be limited.\n\nNo checkpoint can be taken.`);
});

it('the tooltip of a checkpoint says why nothing can be done with it', () => {
  const checkpoint = { label: 'old' as CheckpointLabel, createdAt: new Date(0), sizeBytes: 1024 };
  const plain = checkpointTooltip(checkpoint, { memoryLimit: 'No memory can be limited.' }).value;
  expect(plain).not.toContain('No memory');
  expect(checkpointTooltip(checkpoint, lacks).value).toBe(`${plain}\n\nNo checkpoint can be taken.`);
});
