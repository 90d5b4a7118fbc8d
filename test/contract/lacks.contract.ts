import { describe, expect, it } from 'vitest';
import { parseLabel, parseName } from '../../src/sandbox/name';
import { stopped, type Subject } from './sandboxHost.contract';
import { exists, failure, withSandbox } from './support';

export function lacksContract(subject: Subject): void {
  describe('what the server says it lacks', () => {
    const name = parseName('ct-lacking');

    it('is what it refuses, with the same sentence; and it does what it does not name', async () => {
      const limits = { memoryMiB: 300 };
      const { memoryLimit, checkpoints } = subject.lacks;
      if (memoryLimit === undefined) {
        const made = () => subject.host.get(name);
        expect(await withSandbox(subject, name, made, { limits })).toMatchObject(limits);
      } else {
        const spec = { name, image: subject.image, limits, placement: {}, state: {} };
        expect((await failure(subject.host.create(spec), 'unsupported')).message).toBe(memoryLimit);
        expect(await exists(subject.host, name)).toBe(false);
      }
      const label = parseLabel('lacking');
      if (checkpoints === undefined) {
        await subject.host.createCheckpoint(stopped, label);
        await subject.host.deleteCheckpoint(stopped, label);
      } else {
        await failure(subject.host.createCheckpoint(stopped, label), 'unsupported');
      }
    });
  });
}
