import { PixelsError } from './errors';
import type { Capability, HostInfo } from './sandbox';

const HINTS: { readonly [K in Capability]?: string } = { memoryLimit: 'Leave the memory out.' };

/** The error with which a server refuses what it cannot do; undefined when it can. */
export function lacking({ lacks }: Pick<HostInfo, 'lacks'>, capability: Capability): PixelsError | undefined {
  const sentence = lacks[capability];
  if (sentence === undefined) return undefined;
  const hint = HINTS[capability];
  return new PixelsError('unsupported', sentence, hint === undefined ? {} : { hint });
}

/** For what would only fail later. @throws PixelsError `unsupported` with the server's sentence. */
export function requireCapability(info: Pick<HostInfo, 'lacks'>, capability: Capability): void {
  const lack = lacking(info, capability);
  if (lack !== undefined) throw lack;
}
