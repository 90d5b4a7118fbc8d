import { PixelsError } from './errors';
import type { SandboxHost } from './host';
import { lacking } from './lacks';
import type { HostInfo, Limits } from './sandbox';

/** An init and an sshd need about this much; below it a sandbox only fails later and less clearly. */
const LEAST_MEMORY_MIB = 64;

/** Limits for a new sandbox, before the server was asked whether it can give them. */
export interface LimitRequest {
  /** What a person asks for. */
  readonly limits: Limits;
  /** What the configuration says, for what they did not name. */
  readonly defaults?: Limits | undefined;
  /** Is told, in a sentence, of each default that the server cannot give and that is therefore left out. */
  readonly onLeftOut?: ((sentence: string) => void) | undefined;
}

/**
 * The limits that the server is to give: what was asked for, and those defaults that it can give. Asks the server only when
 * there is something to compare.
 * @throws PixelsError `invalid` or `unsupported`, for what was asked for.
 */
export async function chosenLimits(
  host: Pick<SandboxHost, 'info'>,
  { limits, defaults = {}, onLeftOut }: LimitRequest,
  signal?: AbortSignal,
): Promise<Limits> {
  const named = KINDS.filter((kind) => (limits[kind] ?? defaults[kind]) !== undefined);
  if (named.length === 0) return {};
  for (const kind of named) refuse(problem(kind, limits[kind]));
  const info = await host.info(signal);
  const chosen: { -readonly [K in keyof Limits]: Limits[K] } = {};
  for (const kind of named) {
    refuse(problem(kind, limits[kind], info));
    const found = problem(kind, defaults[kind], info);
    if (limits[kind] !== undefined) chosen[kind] = limits[kind];
    else if (found === undefined) chosen[kind] = defaults[kind];
    else onLeftOut?.(`${found.message} The default of the configuration is left out.`);
  }
  return chosen;
}

const KINDS = ['cpu', 'memoryMiB'] as const;

/** Why there cannot be such a limit; without `info`, on any server. */
function problem(kind: (typeof KINDS)[number], value: number | undefined, info?: HostInfo): PixelsError | undefined {
  if (value === undefined) return undefined;
  return kind === 'cpu' ? cpuProblem(value, info) : memoryProblem(value, info);
}

function cpuProblem(cpu: number, info: HostInfo | undefined): PixelsError | undefined {
  if (!Number.isInteger(cpu) || cpu < 1) {
    return new PixelsError('invalid', `A sandbox needs a whole number of CPUs, 1 or more, not ${cpu}.`);
  }
  if (info === undefined || cpu <= info.cpuCount) return undefined;
  return new PixelsError('invalid', `The server has ${info.cpuCount} CPUs; ${cpu} are more than it can give.`);
}

function memoryProblem(memoryMiB: number, info: HostInfo | undefined): PixelsError | undefined {
  if (!Number.isInteger(memoryMiB) || memoryMiB < LEAST_MEMORY_MIB) {
    return new PixelsError('invalid', `A sandbox needs at least ${LEAST_MEMORY_MIB} MiB of memory, not ${memoryMiB}.`);
  }
  if (info === undefined) return undefined;
  const lack = lacking(info, 'memoryLimit');
  if (lack !== undefined || memoryMiB <= info.memoryMiB) return lack;
  const has = `The server has ${info.memoryMiB} MiB of memory`;
  return new PixelsError('invalid', `${has}; ${memoryMiB} MiB are more than it can give.`);
}

function refuse(found: PixelsError | undefined): void {
  if (found !== undefined) throw found;
}
