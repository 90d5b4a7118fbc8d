import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { PixelsError } from './errors';
import { labelProblem, type CheckpointLabel, type SandboxName } from './name';
import type { SandboxState } from './sandbox';

/**
 * A note on the sandbox, kept by the server, that a use case of several steps is under way. It is written before the
 * first step and removed after the last, so that a process that dies in between leaves word of what is missing.
 */
export interface Mark {
  readonly action: MarkedAction;
  /** For a restore: where it goes, what keeps the state it discards, and whether the sandbox was running before. */
  readonly label?: CheckpointLabel | undefined;
  readonly safety?: CheckpointLabel | undefined;
  readonly wasRunning?: boolean | undefined;
  /** For a create: whether a way in is to be set up. */
  readonly provision?: boolean | undefined;
  /** For a create: the recipe that is to be begun. */
  readonly recipe?: string | undefined;
  /** Tells two uses of one process apart. */
  readonly id: string;
  /** Who is at it. */
  readonly host: string;
  readonly pid: number;
  readonly since: number;
}

export type MarkedAction = 'create' | 'clone' | 'restore' | 'destroy';

/** Another machine's process cannot be asked whether it lives; after this long it is taken for dead. */
const FOREIGN_LIMIT_MS = 15 * 60_000;

/** Ids of the marks whose use case runs in this process now. */
const atWork = new Set<string>();

/** Runs a use case under a new mark in this process's name. The use case writes and removes it. */
export async function underMark<T>(
  action: MarkedAction,
  details: MarkDetails,
  useCase: (mark: Mark) => Promise<T>,
): Promise<T> {
  const mark: Mark = { action, ...details, id: randomUUID(), host: hostname(), pid: process.pid, since: Date.now() };
  atWork.add(mark.id);
  try {
    return await useCase(mark);
  } finally {
    atWork.delete(mark.id);
  }
}

/** What a mark says about its action, whoever is at it. */
export type MarkDetails = Pick<Mark, 'label' | 'safety' | 'wasRunning' | 'provision' | 'recipe'>;

/** The mark in a sandbox's state. One that cannot be read counts as an interrupted restore: the careful reading. */
export function readMark(state: SandboxState): Mark | undefined {
  if (state.mark === undefined) return undefined;
  try {
    const raw = JSON.parse(state.mark) as Partial<Record<keyof Mark, unknown>>;
    const action = (['create', 'clone', 'restore', 'destroy'] as const).find((known) => known === raw.action);
    if (action === undefined) return unreadableMark();
    return {
      action,
      ...(isLabel(raw.label) ? { label: raw.label } : {}),
      ...(isLabel(raw.safety) ? { safety: raw.safety } : {}),
      ...(typeof raw.wasRunning === 'boolean' ? { wasRunning: raw.wasRunning } : {}),
      ...(typeof raw.provision === 'boolean' ? { provision: raw.provision } : {}),
      ...(typeof raw.recipe === 'string' ? { recipe: raw.recipe } : {}),
      id: String(raw.id),
      host: String(raw.host),
      pid: Number(raw.pid),
      since: Number(raw.since),
    };
  } catch {
    return unreadableMark();
  }
}

/** A restore by nobody known: for a rollback that happened without Pixels, or a mark that cannot be read. */
export function unreadableMark(): Mark {
  return { action: 'restore', id: '', host: '', pid: 0, since: 0 };
}

/** Whether the process that wrote the mark is (as far as one can know) still at work. */
export function isUnderWay(mark: Mark, now = Date.now()): boolean {
  if (mark.host !== hostname()) return now - mark.since < FOREIGN_LIMIT_MS;
  if (mark.pid === process.pid) return atWork.has(mark.id);
  try {
    process.kill(mark.pid, 0);
    return mark.pid > 0;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * @throws PixelsError `busy` when somebody else is at work on the sandbox.
 */
export function refuseIfUnderWay(name: SandboxName, mark: Mark | undefined): void {
  if (mark === undefined || !isUnderWay(mark)) return;
  const doing = { create: 'created', clone: 'created', restore: 'restored', destroy: 'destroyed' }[mark.action];
  const where = mark.host === hostname() ? `process ${mark.pid}` : mark.host;
  throw new PixelsError('busy', `${name} is being ${doing} by ${where}.`, { hint: 'Wait until that has finished.' });
}

function isLabel(value: unknown): value is CheckpointLabel {
  return typeof value === 'string' && labelProblem(value) === undefined;
}
