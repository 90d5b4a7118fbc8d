import type { Mark } from '../../../src/sandbox/mark';
import { parseLabel, parseName } from '../../../src/sandbox/name';
import type { Sandbox } from '../../../src/sandbox/sandbox';

/** A running sandbox with all that one can know about it. */
export function aSandbox(different: Partial<Sandbox> = {}): Sandbox {
  return {
    name: parseName('web'),
    status: 'running',
    addresses: ['10.0.0.12'],
    cpu: 2,
    memoryMiB: 512,
    createdAt: new Date('2026-11-23T12:00:00Z'),
    image: 'Debian bookworm',
    checkpointCount: 3,
    state: { sshUser: 'pixel' },
    mark: undefined,
    ...different,
  };
}

/** Left behind long ago by another machine. */
export const interruptedRestore: Mark = {
  action: 'restore',
  label: parseLabel('ready'),
  id: 'x',
  host: 'elsewhere',
  pid: 1,
  since: 0,
};
