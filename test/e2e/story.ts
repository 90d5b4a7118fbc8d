import { beforeEach } from 'vitest';

/**
 * For a file whose tests each go on where the one before ended: after a failure none of them says anything, and all fail.
 * @param onFailure is done once, while what failed can still be seen.
 */
export function eachGoesOn(onFailure: () => Promise<unknown>): void {
  let broken = false;
  beforeEach(({ onTestFailed }) => {
    onTestFailed(async () => {
      const isFirst = !broken;
      broken = true;
      if (isFirst) await onFailure();
    });
    if (broken) throw new Error('A test before this one failed, and this one goes on where that one ended.');
  });
}
