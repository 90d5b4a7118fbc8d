import { describe, expect, it } from 'vitest';
import type { Check } from '../../src/sandbox/check';
import type { Subject } from './sandboxHost.contract';
import { failure } from './support';

export function examineContract(subject: Subject): void {
  describe('examine', () => {
    const wanted = () => ({ image: subject.image, pool: undefined, network: undefined });
    const of = (checks: readonly Check[], title: string) => checks.find((each) => each.title === title);

    it('finds a server on which everything works in order, and leaves it as it is', async () => {
      const before = await subject.host.list();
      const checks = await subject.host.examine(wanted());
      expect(checks.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
      expect(new Set(checks.map(({ title }) => title)).size).toBe(checks.length);
      expect(checks.map(({ title }) => title)).toEqual(expect.arrayContaining(['Storage', 'Network', 'Image']));
      for (const { sentence } of checks) expect(sentence).toMatch(/^\S.*\.$/);
      expect(of(checks, 'Image')?.sentence).toContain(subject.image);
      expect(await subject.host.list()).toEqual(before);
    });

    it('names a pool and a network that are not there, with what to do', async () => {
      const checks = await subject.host.examine({ ...wanted(), pool: 'no-pool', network: 'no-network' });
      for (const title of ['Storage', 'Network']) {
        expect(of(checks, title)).toMatchObject({ verdict: 'failed', advice: expect.stringMatching(/\.$/) as unknown });
      }
      expect(of(checks, 'Image')?.verdict).toBe('ok');
    });

    it('throws only when it is cancelled; a connection that has ended is something it found', async () => {
      await failure(subject.host.examine(wanted(), AbortSignal.abort()), 'cancelled');
      const closed = subject.connect();
      await closed.info();
      closed.close();
      const checks = await closed.examine(wanted());
      expect(new Set(checks.map(({ verdict }) => verdict))).toEqual(new Set(['failed']));
    });
  });
}
