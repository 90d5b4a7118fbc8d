import { describe, expect, it } from 'vitest';
import type { ServerInfo } from '../../../../src/truenas/api';
import { lacksOf } from '../../../../src/truenas/container/lacks';
import { Errno, refused, TrueNasRefusal } from '../../../../src/truenas/errors';
import { fakeApi } from '../virt/fakeApi';

const server: ServerInfo = { version: 'TrueNAS-26.0.0', containers: 'container' };

/** A 26 whose answer to the deletion of a snapshot that is not there is this one. */
function nas(deletion: () => unknown) {
  const fake = fakeApi({ 'container.pool_choices': { tank: 'tank' }, 'pool.snapshot.delete': deletion });
  const is = { server };
  return { api: { ...fake, server: () => Promise.resolve(is.server) }, calls: fake.calls, is };
}

function refusal(errno: number, extra: boolean): () => never {
  return () => {
    const complaint = { attribute: 'zfs.resource.snapshot.destroy', message: 'is a protected path.', errno };
    const details = { errno, reason: 'no', ...(extra ? { extra: [complaint] } : {}) };
    throw refused(new TrueNasRefusal('pool.snapshot.delete', details));
  };
}

describe('what a TrueNAS 26 lacks', () => {
  it('is a limit for memory, and checkpoints where the datasets of containers are protected', async () => {
    const { api, calls } = nas(refusal(Errno.EACCES, true));
    expect(await lacksOf(api)()).toEqual({
      memoryLimit: expect.stringContaining('memory') as unknown,
      checkpoints: expect.stringContaining('protects the datasets') as unknown,
    });
    expect(calls.at(-1)?.params[0]).toBe('tank/.truenas_containers/containers@pixels-probe');
  });

  it.each([
    ['the snapshot that is asked for is not there', refusal(Errno.ENOENT, false)],
    ['the key may not delete snapshots', refusal(Errno.EACCES, false)],
  ])('is only a limit for memory where %s', async (_, deletion) => {
    expect(Object.keys(await lacksOf(nas(deletion).api)())).toEqual(['memoryLimit']);
  });

  it('is asked once for each connection', async () => {
    const { api, calls, is } = nas(refusal(Errno.ENOENT, false));
    const lacks = lacksOf(api);
    await lacks();
    const once = calls.length;
    await lacks();
    expect(calls).toHaveLength(once);
    is.server = { ...server };
    await lacks();
    expect(calls).toHaveLength(2 * once);
  });

  it('is not taken for known when nobody has answered', async () => {
    let answers = false;
    const { api } = nas(() => (answers ? refusal(Errno.EACCES, true)() : refusal(Errno.ETIMEDOUT, false)()));
    const lacks = lacksOf(api);
    await expect(lacks()).rejects.toMatchObject({ kind: 'timeout' });
    answers = true;
    expect(await lacks()).toHaveProperty('checkpoints');
  });
});
