import { readMark, unreadableMark } from '../sandbox/mark';
import { nameOfInstance, type SandboxName } from '../sandbox/name';
import type { Sandbox, SandboxState, SandboxStatus } from '../sandbox/sandbox';
import { isBehindGateway } from './gateway/names';
import type { Settings } from './journal';
import { stateOf } from './state';
import type { Devices, Instance } from './wire';

/** Incus' status codes (shared/api/status_code.go). Everything else is an error or passes in a moment. */
const STATUS: Readonly<Record<number, SandboxStatus>> = {
  101: 'running', // Started
  102: 'stopped',
  103: 'running',
  106: 'starting',
  107: 'stopping',
  109: 'frozen', // Freezing
  110: 'frozen',
  111: 'running', // Thawed
  112: 'error',
  113: 'running', // Ready
};

/** What the instance itself does not say. */
export interface Surroundings {
  readonly addresses: readonly string[];
  readonly checkpointCount: number;
  /** The instance is reverted (rollback.ts). `settings` are those from before, where they are known. */
  readonly reverted: { readonly settings: Settings | undefined } | undefined;
}

/** An instance as a sandbox. */
export function sandboxOf(name: SandboxName, instance: Instance, around: Surroundings): Sandbox {
  const { expanded_config: config } = instance;
  const { addresses, checkpointCount, reverted } = around;
  const state = reverted === undefined ? stateOf(instance.config) : stateOfReverted(instance, reverted.settings);
  return {
    name,
    status: STATUS[instance.status_code] ?? 'error',
    addresses,
    cpu: cpuCount(config['limits.cpu']),
    memoryMiB: memoryMiB(config['limits.memory']),
    createdAt: new Date(instance.created_at),
    image: config['image.description'],
    checkpointCount,
    state,
    ...(Object.values(instance.expanded_devices).some(isBehindGateway) ? { isBehindGateway: true } : {}),
    mark: readMark(state) ?? (reverted === undefined ? undefined : unreadableMark()),
  };
}

/** The mark that the settings of a checkpoint happen to hold is as old as the checkpoint, and no longer true. */
function stateOfReverted({ config }: Instance, before: Settings | undefined): SandboxState {
  return before === undefined ? withoutMark(stateOf(config)) : stateOf(before.config);
}

/** Whether it may have addresses. */
export function isUp({ status_code }: Pick<Instance, 'status_code'>): boolean {
  return STATUS[status_code] === 'running' || STATUS[status_code] === 'frozen';
}

/** The sandbox's name when the instance is one of ours: a container with our prefix. */
export function nameOf(instance: Pick<Instance, 'name' | 'type'>): SandboxName | undefined {
  return instance.type === 'container' ? nameOfInstance(instance.name) : undefined;
}

/** The pool of an instance's root filesystem. */
export function poolOf(devices: Devices): string | undefined {
  return Object.values(devices).find(({ type, path }) => type === 'disk' && path === '/')?.['pool'];
}

/** A state without its mark. */
export function withoutMark(state: SandboxState): SandboxState {
  return Object.fromEntries(Object.entries(state).filter(([key]) => key !== 'mark'));
}

/** `2`, or a set of CPUs: `0-3,6`. Undefined is no limit. */
export function cpuCount(limit: string | undefined): number | undefined {
  if (limit === undefined || limit === '') return undefined;
  if (/^\d+$/.test(limit)) return Number(limit);
  let count = 0;
  for (const range of limit.split(',')) {
    const [first, last] = range.split('-').map(Number);
    if (first === undefined || Number.isNaN(first)) return undefined;
    count += (last ?? first) - first + 1;
  }
  return count;
}

const UNIT_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Incus' sizes (`512MiB`, `2GB`, plain bytes) in MiB. Undefined is no limit, or a share of the host's (`50%`). */
export function memoryMiB(limit: string | undefined): number | undefined {
  const [, amount, unit = 'B'] = /^(\d+)\s*([kKMGT]i?B|B)?$/.exec(limit ?? '') ?? [];
  const unitBytes = UNIT_BYTES[unit];
  if (amount === undefined || unitBytes === undefined) return undefined;
  return Math.round((Number(amount) * unitBytes) / 2 ** 20);
}
