import { readMark } from '../../sandbox/mark';
import type { SandboxName } from '../../sandbox/name';
import type { Sandbox, SandboxStatus } from '../../sandbox/sandbox';
import { ipv4First } from '../common/addresses';
import { cpusIn } from '../common/cpus';
import { readMeta } from '../meta';
import type { Instance } from './wire';

/** `virt.instance` has these since 25.04.2; what it says beyond them is an error, or passes in a moment. */
const STATUS: Readonly<Record<string, SandboxStatus>> = {
  RUNNING: 'running',
  STOPPED: 'stopped',
  FROZEN: 'frozen',
  FREEZING: 'frozen',
  THAWED: 'running',
  STARTING: 'starting',
  STOPPING: 'stopping',
  ABORTING: 'stopping',
};

/** An instance as a sandbox. */
export function sandboxOf(name: SandboxName, instance: Instance, checkpointCount: number): Sandbox {
  const { state, createdAt } = readMeta(instance.environment);
  return {
    name,
    status: statusOf(instance),
    addresses: addressesOf(instance),
    cpu: cpuCount(instance.cpu),
    memoryMiB: instance.memory ? Math.round(instance.memory / 2 ** 20) : undefined,
    createdAt: createdAt ?? incusTime(instance),
    image: instance.image.description ?? undefined,
    checkpointCount,
    state,
    mark: readMark(state),
  };
}

export function statusOf({ status }: Pick<Instance, 'status'>): SandboxStatus {
  return STATUS[status] ?? 'error';
}

/** `2`, or a set of CPUs: `0-3,6`. Undefined is no limit. */
export function cpuCount(limit: string | null | undefined): number | undefined {
  if (limit === undefined || limit === null || limit === '') return undefined;
  return /^\d+$/.test(limit) ? Number(limit) : cpusIn(limit);
}

/**
 * The addresses of the instance's own NICs, IPv4 first. Without `raw`, which is for administrators, they are those of
 * bridges that something inside has made as well: `aliases` has no interface names.
 */
export function addressesOf({ raw, aliases }: Pick<Instance, 'raw' | 'aliases'>): string[] {
  if (typeof raw !== 'object' || raw === null) return ipv4First(aliases.map(({ address }) => address));
  const nics = Object.entries(raw.expanded_devices).filter(([, { type }]) => type === 'nic');
  const own = nics.flatMap(([device, { name }]) => raw.state?.network?.[name ?? device]?.addresses ?? []);
  return ipv4First(own.filter(({ scope }) => scope === 'global').map(({ address }) => address));
}

/** For instances that this extension has not made. Nobody says when those were made to a user who may only read. */
function incusTime({ raw }: Instance): Date {
  return new Date(typeof raw === 'object' && raw !== null ? raw.created_at : 0);
}
