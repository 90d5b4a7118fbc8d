import { readMark } from '../../sandbox/mark';
import type { SandboxName } from '../../sandbox/name';
import type { Sandbox, SandboxStatus } from '../../sandbox/sandbox';
import { cpusIn } from '../common/cpus';
import { readMeta } from '../meta';
import { describeImage } from './images';
import type { Container } from './wire';

const STATUS: Readonly<Record<string, SandboxStatus>> = {
  RUNNING: 'running',
  STOPPED: 'stopped',
  SUSPENDED: 'frozen',
};

/** What the server does not say of a container: it is known by asking in there, or by counting. */
export interface Extras {
  readonly addresses: readonly string[];
  readonly checkpointCount: number;
}

/**
 * A container as a sandbox. There is no limit of memory on 26; when a container was made that Pixels has not made,
 * nobody knows.
 */
export function sandboxOf(name: SandboxName, container: Container, { addresses, checkpointCount }: Extras): Sandbox {
  const { state, createdAt = new Date(0), image } = readMeta(container.initenv);
  return {
    name,
    status: statusOf(container),
    addresses,
    cpu: container.cpuset ? cpusIn(container.cpuset) : undefined,
    memoryMiB: undefined,
    createdAt,
    image: image === undefined ? undefined : describeImage(image),
    checkpointCount,
    state,
    mark: readMark(state),
  };
}

export function statusOf({ status: { state } }: Pick<Container, 'status'>): SandboxStatus {
  return STATUS[state] ?? 'error';
}
