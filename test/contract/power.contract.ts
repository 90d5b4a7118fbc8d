import { describe, expect, it } from 'vitest';
import { outputOf } from '../../src/sandbox/exec';
import type { SandboxHost } from '../../src/sandbox/host';
import { parseLabel, parseName, type SandboxName } from '../../src/sandbox/name';
import { running, stopped, type Subject } from './sandboxHost.contract';
import { eventually, exists, failure, FORCE, shell, withSandbox } from './support';

export function powerContract(subject: Subject): void {
  const nobody = parseName('ct-nobody');
  const GENTLY = { force: false, timeoutMs: 30_000 };

  describe('start and stop', () => {
    it('starts and stops a sandbox', async () => {
      await withSandbox(subject, 'ct-power', async (name) => {
        await subject.host.start(name);
        expect(await subject.host.get(name)).toMatchObject({ status: 'running' });
        await subject.host.stop(name, FORCE);
        expect(await subject.host.get(name)).toMatchObject({ status: 'stopped', addresses: [] });
      });
    });

    it('does nothing to a sandbox that is already as wanted', async () => {
      await subject.host.start(running);
      expect((await subject.host.get(running)).status).toBe('running');
      await subject.host.stop(stopped, FORCE);
      await subject.host.stop(stopped, GENTLY);
      expect((await subject.host.get(stopped)).status).toBe('stopped');
    });

    it('lets it shut down when it is not forced', async () => {
      await withSandbox(subject, 'ct-gentle', async (name) => {
        await subject.host.start(name);
        await booted(subject.host, name);
        await subject.host.stop(name, GENTLY);
        expect((await subject.host.get(name)).status).toBe('stopped');
      });
    });

    it('says so when it does not shut down in time, and can be forced then', async () => {
      await withSandbox(subject, 'ct-stubborn', async (name) => {
        await subject.host.start(name);
        await booted(subject.host, name);
        const stubborn = `systemd-run --quiet -p TimeoutStopSec=60 sh -c 'trap "" TERM; while :; do sleep 1; done'`;
        await shell(subject.host, name, stubborn);
        const error = await failure(subject.host.stop(name, { force: false, timeoutMs: 1_000 }), 'timeout');
        expect(error.message).toContain(name);
        await subject.host.stop(name, FORCE);
        expect((await subject.host.get(name)).status).toBe('stopped');
      });
    });

    it('cannot start or stop what is not there', async () => {
      await failure(subject.host.start(nobody), 'not-found');
      await failure(subject.host.stop(nobody, FORCE), 'not-found');
    });
  });

  describe('destroy', () => {
    it('removes a stopped sandbox and its checkpoints', async () => {
      await withSandbox(subject, 'ct-doomed', async (name) => {
        await subject.host.createCheckpoint(name, parseLabel('one'));
        await subject.host.destroy(name);
        expect(await exists(subject.host, name)).toBe(false);
        await failure(subject.host.checkpoints(name), 'not-found');
      });
    });

    it('refuses a sandbox that runs', async () => {
      const error = await failure(subject.host.destroy(running), 'wrong-state');
      expect(error.message).toContain(running);
      expect((await subject.host.get(running)).status).toBe('running');
    });

    it('cannot remove what is not there', async () => {
      await failure(subject.host.destroy(nobody), 'not-found');
    });
  });
}

/** Its init takes requests. */
async function booted(host: SandboxHost, name: SandboxName): Promise<void> {
  const command = ['systemctl', 'is-system-running', '--wait'];
  await eventually(30_000, async () => {
    const { stdout } = await outputOf(host, name, { command });
    return /running|degraded/.test(stdout) ? true : undefined;
  });
}
