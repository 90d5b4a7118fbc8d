import { describe, expect, it } from 'vitest';
import { PixelsError } from '../../../../src/sandbox/errors';
import { refused, TrueNasRefusal, type RefusalDetails } from '../../../../src/truenas/errors';
import { explained } from '../../../../src/truenas/common/refusals';

const about = { sandbox: 'web', checkpoint: 'ready', image: 'debian/12' };
const refusal = (details: Partial<RefusalDetails>) =>
  refused(new TrueNasRefusal('virt.instance.create', { errno: 14, reason: '', ...details }), about);

describe('what TrueNAS says in text only', () => {
  const clones =
    "Please set this attribute as 'tank/.ix-virt/containers/px-web@px-ready' snapshot has dependent clones: tank/.ix-virt/containers/px-b";
  it.each<[string, Partial<RefusalDetails>, string]>([
    [
      'exists',
      {
        errno: 22,
        extra: [{ attribute: 'virt_instance_create.name', message: "Name 'px-web' already exists", errno: 22 }],
      },
      'There is already a sandbox named "web".',
    ],
    [
      'not-found',
      { extra: [{ attribute: 'virt_instance_create.storage_pool', message: 'Not a valid ZFS pool', errno: 22 }] },
      '',
    ],
    [
      'not-found',
      {
        reason:
          "[EFAULT] Failed getting remote image info: Failed getting image: The requested image couldn't be found",
      },
      'debian/12',
    ],
    [
      'unreachable',
      {
        reason:
          '[EFAULT] Failed getting remote image info: Failed parsing stream: dial tcp: lookup images.linuxcontainers.org',
      },
      '',
    ],
    [
      'no-space',
      { reason: 'CronTask "set -eu" exited with 1', logs: 'cannot receive new filesystem stream: out of space' },
      '',
    ],
    [
      'timeout',
      { reason: '[EFAULT] Failed shutting down instance, status is "Running": context deadline exceeded' },
      'web did not shut down',
    ],
    [
      'wrong-state',
      { errno: 22, extra: [{ attribute: 'options.defer', message: clones, errno: 22 }] },
      ': b depends on it',
    ],
    [
      'wrong-state',
      {
        reason:
          "[EFAULT] Failed to rollback snapshot: cannot rollback to 'tank/c/px-web@px-ready': clones of previous snapshots exist\nuse '-R' to force deletion of the following clones and dependents:\ntank/.ix-virt/containers/px-b@x\ntank/.ix-virt/containers/px-b",
      },
      ': b depends on',
    ],
    ['busy', { reason: '[EFAULT] Failed to delete: cannot destroy: dataset is busy' }, ''],
    ['busy', { reason: '[EFAULT] Instance is busy running a "stop" operation' }, ''],
    [
      'not-found',
      {
        reason: '[EFAULT] CronTask "set -eu; zfs list" exited with 1',
        logs: "cannot open 'tank/c/px-web@x': dataset does not exist\n",
      },
      'web is not there any more',
    ],
    [
      'failed',
      {
        reason: '[EFAULT] CronTask "set -eu; zfs list" exited with 1',
        logs: 'cannot receive: invalid stream\nExecuted CronTask',
      },
      'could not be copied: cannot receive: invalid stream.',
    ],
    [
      'failed',
      { reason: '[EFAULT] CronTask "set -eu; zfs list" exited with 1 (non-zero) exit status.' },
      'web could not be copied.',
    ],
  ])('is of the kind %s', (kind, details, words) => {
    const error = explained(refusal(details), about);
    expect(error).toBeInstanceOf(PixelsError);
    expect(error).toMatchObject({ kind });
    expect((error as PixelsError).message).toContain(words);
    expect((error as PixelsError).message).not.toMatch(/EFAULT|\n/);
  });

  it('stays as it is where nothing is known of it, and where it is no refusal', () => {
    const unknown = refusal({ reason: '[EFAULT] Something else' });
    expect(explained(unknown, about)).toBe(unknown);
    const other = new PixelsError('unreachable', 'The connection broke.');
    expect(explained(other, about)).toBe(other);
  });
});
