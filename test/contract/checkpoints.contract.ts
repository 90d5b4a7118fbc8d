import { describe, expect, it } from 'vitest';
import type { Mark } from '../../src/sandbox/mark';
import { parseLabel, parseName } from '../../src/sandbox/name';
import { ready, running, stopped, type Subject } from './sandboxHost.contract';
import { failure, inside, limitsFor, shell, withSandbox } from './support';

export function checkpointContract(subject: Subject): void {
  const one = parseLabel('one');
  const two = parseLabel('Two.2');
  const nobody = parseName('ct-nobody');

  describe('checkpoints', () => {
    it('are listed oldest first, with their age and, where known, their size', async () => {
      await withSandbox(subject, 'ct-listed', async (name) => {
        await subject.host.createCheckpoint(name, two);
        await subject.host.createCheckpoint(name, one);
        const checkpoints = await subject.host.checkpoints(name);
        expect(checkpoints.map(({ label }) => label)).toEqual([two, one]);
        for (const { createdAt, sizeBytes } of checkpoints) {
          expect(Date.now() - createdAt.getTime()).toBeLessThan(60_000);
          if (sizeBytes !== undefined) expect(sizeBytes).toBeGreaterThanOrEqual(0);
        }
        expect((await subject.host.get(name)).checkpointCount).toBe(2);
        expect([...(await subject.host.labels(name))].sort()).toEqual([two, one]);
      });
    });

    it('are not taken when what the mark says forbids it', async () => {
      const refusal = new Error('not now');
      const seen: (string | undefined)[] = [];
      const check = (mark: Mark | undefined): void => {
        seen.push(mark?.action);
        if (mark !== undefined) throw refusal;
      };
      await withSandbox(subject, 'ct-checked', async (name) => {
        await subject.host.createCheckpoint(name, one, {}, check);
        await subject.host.updateState(name, () => ({ mark: JSON.stringify({ action: 'destroy', id: 'x' }) }));
        await expect(subject.host.createCheckpoint(name, two, {}, check)).rejects.toBe(refusal);
        expect(seen).toEqual([undefined, 'destroy']);
        expect(await subject.host.labels(name)).toEqual([one]);
      });
    });

    it('can be taken of a running sandbox', async () => {
      const label = parseLabel('while-running');
      await subject.host.createCheckpoint(running, label);
      expect((await subject.host.get(running)).status).toBe('running');
      await subject.host.deleteCheckpoint(running, label);
      expect(await subject.host.checkpoints(running)).toEqual([]);
    });

    it('do not overwrite one another', async () => {
      const error = await failure(subject.host.createCheckpoint(stopped, ready), 'exists');
      expect(error.message).toContain(ready);
    });

    it('can be deleted once', async () => {
      await withSandbox(subject, 'ct-deleted', async (name) => {
        await subject.host.createCheckpoint(name, one);
        await subject.host.deleteCheckpoint(name, one);
        const error = await failure(subject.host.deleteCheckpoint(name, one), 'not-found');
        expect(error.message).toContain(one);
      });
    });

    it('need a sandbox that is there', async () => {
      await failure(subject.host.checkpoints(nobody), 'not-found');
      await failure(subject.host.labels(nobody), 'not-found');
      await failure(subject.host.createCheckpoint(nobody, one), 'not-found');
      await failure(subject.host.deleteCheckpoint(nobody, one), 'not-found');
    });
  });

  describe('rollback', () => {
    it('brings the files back, and nothing else', async () => {
      const limits = limitsFor(subject, 1, 256);
      await withSandbox(
        subject,
        'ct-back',
        async (name) => {
          await inside(subject.host, name, 'echo then >/root/file');
          await subject.host.createCheckpoint(name, one);
          await inside(subject.host, name, 'echo later >/root/file; echo new >/root/new');
          await subject.host.updateState(name, () => ({ hostKey: 'new key', sshUser: null }));
          await subject.host.rollback(name, one);
          expect(await inside(subject.host, name, 'cat /root/file; test ! -e /root/new')).toBe('then\n');
          expect(await subject.host.get(name)).toMatchObject({ ...limits, status: 'stopped', mark: undefined });
          expect((await subject.host.get(name)).state).toEqual({ hostKey: 'new key' });
        },
        { limits, state: { sshUser: 'then', hostKey: 'old key' } },
      );
    });

    it('destroys those newer snapshots that it said it would, and keeps the rest', async () => {
      const { rollbackDestroysNewer } = await subject.host.info();
      await withSandbox(subject, 'ct-newer', async (name) => {
        await subject.host.createCheckpoint(name, one);
        await subject.host.createCheckpoint(name, two);
        expect(await subject.host.lostByRollback(name, two)).toEqual([]);
        const lost = (await subject.host.lostByRollback(name, one)).map(({ label }) => label);
        expect(lost).toEqual(rollbackDestroysNewer ? [two] : []);
        await subject.host.rollback(name, one);
        expect((await subject.host.checkpoints(name)).map(({ label }) => label)).toEqual(
          rollbackDestroysNewer ? [one] : [one, two],
        );
        await failure(subject.host.lostByRollback(name, parseLabel('never')), 'not-found');
      });
    });

    it('leaves a sandbox that starts', async () => {
      await withSandbox(subject, 'ct-startable', async (name) => {
        await subject.host.createCheckpoint(name, one);
        await subject.host.rollback(name, one);
        await subject.host.start(name);
        expect(await shell(subject.host, name, 'echo works')).toBe('works\n');
      });
    });

    it('refuses a running sandbox', async () => {
      await subject.host.createCheckpoint(running, one);
      await failure(subject.host.rollback(running, one), 'wrong-state');
      expect((await subject.host.get(running)).status).toBe('running');
      await subject.host.deleteCheckpoint(running, one);
    });

    it('touches nothing when there is no such checkpoint', async () => {
      const before = await subject.host.get(stopped);
      const error = await failure(subject.host.rollback(stopped, two), 'not-found');
      expect(error.message).toContain(two);
      expect(await subject.host.get(stopped)).toEqual(before);
      expect(await inside(subject.host, stopped, 'cat /root/file')).toBe('now');
      await failure(subject.host.rollback(nobody, one), 'not-found');
    });
  });
}
