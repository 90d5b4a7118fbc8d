import { describe, expect, it } from 'vitest';
import type { HostEvent, SandboxHost } from '../../src/sandbox/host';
import { parseLabel, type SandboxName } from '../../src/sandbox/name';
import { running, stopped, type Subject } from './sandboxHost.contract';
import { eventually, FORCE, withSandbox } from './support';

export function watchContract(subject: Subject): void {
  describe('watch', () => {
    it('says first that it is connected', async () => {
      const watched = await startWatch(subject.host);
      expect(watched.events[0]).toEqual({ kind: 'connected' });
      watched.close();
    });

    it('reports making, starting, stopping and destroying', async () => {
      const watched = await startWatch(subject.host);
      await withSandbox(subject, 'ct-watched', async (name) => {
        await watched.next('changed', name);
        for (const step of [
          () => subject.host.start(name),
          () => subject.host.updateState(name, () => ({ sshUser: 'x' })),
          () => subject.host.stop(name, FORCE),
          () => subject.host.destroy(name),
        ]) {
          watched.events.length = 0;
          await step();
          await watched.next('changed', name);
        }
      });
      watched.close();
    });

    it('reports checkpoints that are taken, rolled back to and deleted', async () => {
      const label = parseLabel('seen');
      const watched = await startWatch(subject.host);
      await withSandbox(subject, 'ct-watched', async (name) => {
        await subject.host.createCheckpoint(name, label);
        await watched.next('checkpoints-changed', name);
        watched.events.length = 0;
        await subject.host.rollback(name, label);
        await watched.next('changed', name);
        watched.events.length = 0;
        await subject.host.deleteCheckpoint(name, label);
        await watched.next('checkpoints-changed', name);
      });
      watched.close();
    });

    it('has settled when the last report of a change comes', async () => {
      await withSandbox(subject, 'ct-settled', async (name) => {
        const seen: string[] = [];
        const watch = subject.host.watch((event) => {
          if (event.kind !== 'changed' || event.name !== name) return;
          // The last one may be asked about when the sandbox is gone already.
          void subject.host.get(name).then(
            (sandbox) => seen.push(sandbox.status),
            () => undefined,
          );
        });
        await subject.host.start(name);
        await eventually(2_000, () => (seen.at(-1) === 'running' ? true : undefined));
        await subject.host.stop(name, FORCE);
        await eventually(2_000, () => (seen.at(-1) === 'stopped' ? true : undefined));
        watch.close();
      });
    });

    it('reports within a second what others do', async () => {
      const watched = await startWatch(subject.host);
      await subject.takeCheckpointOutside(stopped, 'outside');
      await watched.next('checkpoints-changed', stopped, 1_000);
      await subject.host.deleteCheckpoint(stopped, parseLabel('outside'));
      watched.close();
    });

    it('ends with the connection, and does not come back', async () => {
      const other = subject.connect();
      const watched = await startWatch(other);
      other.close();
      await subject.host.updateState(stopped, () => ({ hostKey: 'x' }));
      await new Promise((resolve) => setTimeout(resolve, 600));
      await subject.host.updateState(stopped, () => ({ hostKey: null }));
      expect(watched.events).toEqual([{ kind: 'connected' }]);
    });

    it('is silent about commands, and after it was closed', async () => {
      const watched = await startWatch(subject.host);
      await (
        await subject.host.exec(running, { command: ['true'] })
      ).exitCode;
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(watched.events).toEqual([{ kind: 'connected' }]);
      watched.close();
      await subject.host.updateState(stopped, () => ({ hostKey: 'x' }));
      await subject.host.updateState(stopped, () => ({ hostKey: null }));
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(watched.events).toEqual([{ kind: 'connected' }]);
    });
  });
}

async function startWatch(host: SandboxHost) {
  const events: HostEvent[] = [];
  const watch = host.watch((event) => events.push(event));
  await eventually(3_000, () => events.find(({ kind }) => kind === 'connected'));
  return {
    events,
    close: () => watch.close(),
    next: (kind: HostEvent['kind'], name: SandboxName, limitMs = 2_000) =>
      eventually(limitMs, () => events.find((event) => event.kind === kind && 'name' in event && event.name === name)),
  };
}
