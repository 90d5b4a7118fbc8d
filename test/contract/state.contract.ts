import { describe, expect, it } from 'vitest';
import { parseName } from '../../src/sandbox/name';
import type { Subject } from './sandboxHost.contract';
import { failure, withSandbox } from './support';

export function stateContract(subject: Subject): void {
  describe('updateState', () => {
    it('writes, keeps and removes keys', async () => {
      await withSandbox(subject, 'ct-state', async (name) => {
        await subject.host.updateState(name, () => ({ hostKey: 'ssh-ed25519 AAAA+/=', sshUser: 'pixel' }));
        expect((await subject.host.get(name)).state).toEqual({ hostKey: 'ssh-ed25519 AAAA+/=', sshUser: 'pixel' });
        await subject.host.updateState(name, (state) => ({ sshUser: `${state.sshUser ?? ''}2`, hostKey: null }));
        expect((await subject.host.get(name)).state).toEqual({ sshUser: 'pixel2' });
        await subject.host.updateState(name, () => ({}));
        expect((await subject.host.get(name)).state).toEqual({ sshUser: 'pixel2' });
      });
    });

    it('shows a mark in the state as the mark of the sandbox', async () => {
      await withSandbox(subject, 'ct-marked', async (name) => {
        const mark = { action: 'clone', id: 'i', host: 'elsewhere', pid: 7, since: 8 };
        await subject.host.updateState(name, () => ({ mark: JSON.stringify(mark) }));
        expect((await subject.host.get(name)).mark).toEqual(mark);
        await subject.host.updateState(name, () => ({ mark: null }));
        expect((await subject.host.get(name)).mark).toBeUndefined();
      });
    });

    it('loses no change when several write at once', async () => {
      await withSandbox(subject, 'ct-raced', async (name) => {
        const other = subject.connect();
        const write = (host: typeof other, word: string) =>
          host.updateState(name, ({ hostKey = '' }) => ({ hostKey: `${hostKey} ${word}`.trim() }));
        const words = Array.from({ length: 6 }, (_, index) => `w${index}`);
        await Promise.all(words.map((word, index) => write(index % 2 === 0 ? subject.host : other, word)));
        other.close();
        expect((await subject.host.get(name)).state.hostKey?.split(' ').sort()).toEqual(words);
      });
    });

    it('throws what the change throws, and writes nothing', async () => {
      await withSandbox(subject, 'ct-thrown', async (name) => {
        const refusal = new Error('not now');
        const action = subject.host.updateState(name, () => {
          throw refusal;
        });
        await expect(action).rejects.toBe(refusal);
        expect((await subject.host.get(name)).state).toEqual({});
      });
    });

    it('needs a sandbox that is there', async () => {
      await failure(
        subject.host.updateState(parseName('ct-nobody'), () => ({ sshUser: 'x' })),
        'not-found',
      );
    });
  });
}
