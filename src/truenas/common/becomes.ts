import { isKind, PixelsError } from '../../sandbox/errors';
import type { SandboxName } from '../../sandbox/name';
import type { SandboxStatus } from '../../sandbox/sandbox';
import type { CommonInstance, Instances } from './instances';
import { pause } from './pause';

/** An instance shows a moment later what its job has done. */
const SETTLE_PAUSE_MS = 200;
const SETTLE_LIMIT_MS = 15_000;

/**
 * Does what makes a sandbox run or stop, and waits until it does. Nothing when it is so already, also when somebody else
 * was quicker. @throws what `action` throws; `not-found`, `timeout`, `cancelled`.
 */
export async function becomes(
  instances: Instances,
  name: SandboxName,
  wanted: SandboxStatus,
  signal: AbortSignal | undefined,
  action: (instance: CommonInstance) => Promise<void>,
): Promise<void> {
  const isSo = async (): Promise<boolean> => (await instances.read(name, signal)).status === wanted;
  const before = await instances.read(name, signal);
  if (before.status === wanted) return;
  try {
    await action(before);
  } catch (error) {
    if (isKind(error, 'wrong-state') && (await isSo())) return;
    throw error;
  }
  const deadline = Date.now() + SETTLE_LIMIT_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new PixelsError('timeout', `${name} is still not ${wanted}.`);
    await pause(SETTLE_PAUSE_MS, signal);
  }
}
