import { describe, expect, it } from 'vitest';
import type { Progress } from '../../src/sandbox/host';
import { parseLabel, parseName, type SandboxName } from '../../src/sandbox/name';
import { ready, running, stopped, type Subject } from './sandboxHost.contract';
import { eventually, exists, failure, inside, limitsFor, remove, shell, withSandbox } from './support';

export function makingContract(subject: Subject): void {
  const fresh = parseName('ct-fresh');
  const spec = { name: fresh, limits: {}, placement: {}, state: {} };

  describe('create', () => {
    it('makes a stopped sandbox with limits and state', async () => {
      const limits = limitsFor(subject, 2, 300);
      const given = { limits, state: { sshUser: 'someone', hostKey: 'ssh-ed25519 AAAA' } };
      await withSandbox(
        subject,
        fresh,
        async () => {
          expect(await subject.host.get(fresh)).toMatchObject({
            status: 'stopped',
            ...limits,
            state: given.state,
            mark: undefined,
            checkpointCount: 0,
          });
        },
        given,
      );
    });

    it('refuses a name that is taken, and leaves that sandbox alone', async () => {
      const before = await subject.host.get(stopped);
      const error = await failure(subject.host.create({ ...spec, name: stopped, image: subject.image }), 'exists');
      expect(error.message).toContain(stopped);
      expect(error.hint).toBeTruthy();
      expect(await subject.host.get(stopped)).toEqual(before);
    });

    it('says which images there are when the image is unknown, and makes nothing', async () => {
      const error = await failure(subject.host.create({ ...spec, image: 'no/such/image' }), 'not-found');
      expect(error.message).toContain('no/such/image');
      expect(error.hint).toContain(subject.image);
      expect(await exists(subject.host, fresh)).toBe(false);
    });

    it('refuses a pool and a network that are not there', async () => {
      const { image } = subject;
      await failure(subject.host.create({ ...spec, image, placement: { pool: 'no-pool' } }), 'not-found');
      await failure(subject.host.create({ ...spec, image, placement: { network: 'no-network' } }), 'not-found');
      expect(await exists(subject.host, fresh)).toBe(false);
    });

    it('makes nothing when it is cancelled before it begins', async () => {
      const run = { signal: AbortSignal.abort() };
      await failure(subject.host.create({ ...spec, image: subject.image }, run), 'cancelled');
      expect(await exists(subject.host, fresh)).toBe(false);
    });

    it.each([0, 5, 20, 50])(
      'cancelled after %i ms, leaves nothing or something that can be destroyed',
      async (delay) => {
        try {
          await cancelledAfter(delay, (signal) => subject.host.create({ ...spec, image: subject.image }, { signal }));
          if (await exists(subject.host, fresh)) await subject.host.destroy(fresh);
          expect(await exists(subject.host, fresh)).toBe(false);
        } finally {
          await remove(subject.host, fresh);
        }
      },
    );
  });

  describe('copy', () => {
    const copied = parseName('ct-copied');

    it('makes a stopped sandbox with the files and limits of its source, but not its state and checkpoints', async () => {
      try {
        const progress: Progress[] = [];
        const run = { onProgress: (step: Progress) => progress.push(step) };
        await subject.host.copy(
          { name: copied, source: { name: stopped }, limits: {}, state: { hostKey: 'own' } },
          run,
        );
        expect(await subject.host.get(copied)).toMatchObject({
          status: 'stopped',
          state: { hostKey: 'own' },
          checkpointCount: 0,
          mark: undefined,
        });
        expect(Object.keys((await subject.host.get(copied)).state)).toEqual(['hostKey']);
        expect(await inside(subject.host, copied, 'cat /root/file')).toBe('now');
      } finally {
        await remove(subject.host, copied);
      }
    });

    it('of a checkpoint has the files of that time', async () => {
      try {
        const source = { name: stopped, label: ready };
        const limits = limitsFor(subject, 1, 256);
        await subject.host.copy({ name: copied, source, limits, state: {} });
        expect(await subject.host.get(copied)).toMatchObject({ ...limits, state: {} });
        expect(await inside(subject.host, copied, 'cat /root/file')).toBe('before');
      } finally {
        await remove(subject.host, copied);
      }
    });

    it('is independent of its source', async () => {
      try {
        await subject.host.copy({ name: copied, source: { name: stopped }, limits: {}, state: {} });
        await inside(subject.host, copied, 'echo changed in the copy >/root/file');
        expect(await inside(subject.host, stopped, 'cat /root/file')).toBe('now');
        expect(await subject.host.linkedClones(stopped)).toEqual([]);
        expect((await subject.host.info()).copiesAreLinked).toBe(false);
      } finally {
        await remove(subject.host, copied);
      }
    });

    it('has another machine-id once its identity was reset, which may be done twice', async () => {
      const machineId = (name: SandboxName) => shell(subject.host, name, 'cat /etc/machine-id');
      try {
        await subject.host.copy({ name: copied, source: { name: running }, limits: {}, state: {} });
        await subject.host.resetIdentity(copied);
        await subject.host.resetIdentity(copied);
        await subject.host.start(copied);
        const own = await eventually(20_000, async () => /^\w{32}\n$/.exec(await machineId(copied))?.[0]);
        expect(own).not.toBe(await machineId(running));
      } finally {
        await remove(subject.host, copied);
      }
      await failure(subject.host.resetIdentity(copied), 'not-found');
    });

    it('works while the source runs, keeps its limits, and gets another address', async () => {
      try {
        await subject.host.copy({ name: copied, source: { name: running }, limits: {}, state: {} });
        expect(await subject.host.get(copied)).toMatchObject({ status: 'stopped', ...limitsFor(subject, 1, 512) });
        expect(await subject.host.get(running)).toMatchObject({ status: 'running' });
      } finally {
        await remove(subject.host, copied);
      }
    });

    it('refuses a source, a checkpoint and a name that cannot be', async () => {
      const rest = { limits: {}, state: {} };
      const nobody = parseName('ct-nobody');
      const none = parseLabel('no-such-label');
      const noSource = await failure(
        subject.host.copy({ ...rest, name: copied, source: { name: nobody } }),
        'not-found',
      );
      expect(noSource.message).toContain(nobody);
      const noLabel = await failure(
        subject.host.copy({ ...rest, name: copied, source: { name: stopped, label: none } }),
        'not-found',
      );
      expect(noLabel.message).toContain(none);
      await failure(subject.host.copy({ ...rest, name: running, source: { name: stopped } }), 'exists');
      expect(await exists(subject.host, copied)).toBe(false);
    });

    it.each([0, 5, 20, 50])(
      'cancelled after %i ms, leaves nothing or something that can be destroyed',
      async (delay) => {
        const source = { name: stopped, label: ready };
        try {
          await cancelledAfter(delay, (signal) =>
            subject.host.copy({ name: copied, source, limits: {}, state: {} }, { signal }),
          );
          if (await exists(subject.host, copied)) await subject.host.destroy(copied);
          expect(await exists(subject.host, copied)).toBe(false);
        } finally {
          await remove(subject.host, copied);
        }
      },
    );
  });
}

/** The action ends with `cancelled`, unless it was quicker. */
async function cancelledAfter(delayMs: number, action: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), delayMs);
  const outcome = await action(abort.signal).then(
    () => 'done',
    (error: unknown) => (error as { kind?: string }).kind,
  );
  clearTimeout(timer);
  expect(['done', 'cancelled']).toContain(outcome);
}
