import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orFirst } from '../support/extent';
import { commandRequest, guestSetup } from '../../src/provision';
import { outputOf } from '../../src/sandbox/exec';
import type { Progress, SandboxHost } from '../../src/sandbox/host';
import { FORCED, Lifecycle, type Source } from '../../src/sandbox/lifecycle';
import { isSafetyLabel, parseLabel, parseName, type SandboxName } from '../../src/sandbox/name';
import { readProvisionRecord, writeProvisionRecord } from '../../src/sandbox/provisioning';
import { incus, trueNas, type Server } from '../support/servers';
import { makeTestProject, type TestProject } from '../support/testProject';
import { inside } from './support';

const source = parseName('lc-source');
let project: TestProject;
let server: Server;
let host: SandboxHost;
let lifecycle: Lifecycle;
let keyFolder: string;
let publicKey: string;

const SERVERS = [
  ['Incus', incus],
  ['TrueNAS 25.10', trueNas('25.10.5')],
] as const;

describe.each(orFirst(SERVERS))('on %s', (_, openServer) => {
  beforeAll(async () => {
    project = await makeTestProject('pixels-lifecycle');
    server = await openServer(project);
    keyFolder = mkdtempSync(path.join(tmpdir(), 'pixels-key-'));
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path.join(keyFolder, 'id')]);
    publicKey = readFileSync(path.join(keyFolder, 'id.pub'), 'utf8').trim();
    host = server.connect();
    lifecycle = new Lifecycle(host, guestSetup({ user: 'pixel', publicKey: () => Promise.resolve(publicKey) }));
    await lifecycle.create({ name: source, source: fromImage(), limits: {}, provision: true });
    await run(source, 'echo before > file');
    await lifecycle.createCheckpoint(source, parseLabel('ready'));
  });

  afterAll(async () => {
    host.close();
    rmSync(keyFolder, { recursive: true });
    await server.close();
    await project.remove();
  });

  describe('creating', () => {
    it('gives a running sandbox with the user, sudo, the key and a known host key', async () => {
      const sandbox = await host.get(source);
      expect(sandbox.status).toBe('running');
      expect(sandbox.mark).toBeUndefined();
      expect(sandbox.state.sshUser).toBe('pixel');
      expect(await run(source, 'id -u; pwd; sudo -n id -u')).toBe('1000\n/home/pixel\n0');
      expect(await run(source, 'cat ~/.ssh/authorized_keys; sudo cat /root/.ssh/authorized_keys')).toBe(
        `${publicKey}\n${publicKey}`,
      );
      expect(await run(source, 'cut -d" " -f1,2 /etc/ssh/ssh_host_ed25519_key.pub')).toBe(sandbox.state.hostKey);
    });

    it('installs what a bare image lacks', async () => {
      const name = parseName('lc-bare');
      await lifecycle.create({ name, source: fromImage(project.bareImage), limits: {}, provision: true });
      expect(await run(name, 'sudo -n test -x /usr/sbin/sshd && echo yes')).toBe('yes');
      expect((await host.get(name)).state.hostKey).toMatch(/^ssh-ed25519 /);
      await lifecycle.destroy(name);
    });

    it('without provisioning leaves the image as it is', async () => {
      const name = parseName('lc-plain');
      await lifecycle.create({ name, source: fromImage(), limits: {}, provision: false });
      expect(await host.get(name)).toMatchObject({ status: 'running', state: {} });
      const { stdout } = await outputOf(host, name, { command: ['sh', '-c', 'getent passwd pixel || echo none'] });
      expect(stdout.trim()).toBe('none');
      await lifecycle.destroy(name);
    });

    it.each([
      [{ cpu: 0 }, /1 or more/],
      [{ cpu: 1.5 }, /whole number/],
      [{ cpu: 100_000 }, /The server has \d+ CPUs/],
      [{ memoryMiB: 1 }, /at least 64 MiB/],
      [{ memoryMiB: 1 << 30 }, /The server has \d+ MiB/],
    ])('with %j is refused before anything is made', async (limits, sentence) => {
      const name = parseName('lc-limits');
      await expect(lifecycle.create({ name, source: fromImage(), limits, provision: true })).rejects.toThrow(sentence);
      await expect(host.get(name)).rejects.toMatchObject({ kind: 'not-found' });
    });

    it('with a taken name leaves the one that is there alone', async () => {
      const before = await host.get(source);
      const request = { name: source, source: fromImage(), limits: {}, provision: true };
      await expect(lifecycle.create(request)).rejects.toMatchObject({ kind: 'exists' });
      expect(await host.get(source)).toEqual(before);
    });

    it('that is cancelled at any of its steps leaves nothing', async () => {
      const name = parseName('lc-cancel');
      const steps: string[] = [];
      for (let cancelAt = 1; ; cancelAt++) {
        const controller = new AbortController();
        let seen = new Set<string>();
        const onProgress = ({ message }: Progress): void => {
          seen = seen.add(message);
          if (seen.size === cancelAt) controller.abort();
        };
        const from: Source = { from: { name: source, label: parseLabel('ready') } };
        const creating = lifecycle.create(
          { name, source: from, limits: {}, provision: true },
          { signal: controller.signal, onProgress },
        );
        if (
          await creating.then(
            () => true,
            () => false,
          )
        )
          break; // no step left to cancel at
        steps.push([...seen].at(-1)!);
        await expect(creating).rejects.toMatchObject({ kind: 'cancelled' });
        await expect(host.get(name)).rejects.toMatchObject({ kind: 'not-found' });
      }
      expect(steps.length).toBeGreaterThanOrEqual(3);
      await lifecycle.destroy(name);
    });

    it('stays, marked, when only the way in failed, and starting it tries again', async () => {
      const name = parseName('lc-retry');
      let keyIsThere = false;
      const flaky = new Lifecycle(
        host,
        guestSetup({
          user: 'pixel',
          publicKey: () => (keyIsThere ? Promise.resolve(publicKey) : Promise.reject(new Error('no key'))),
        }),
      );
      await expect(flaky.create({ name, source: fromImage(), limits: {}, provision: true })).rejects.toThrow(
        /lc-retry was created, but logging in could not be set up/,
      );
      expect((await host.get(name)).mark).toMatchObject({ action: 'create' });
      keyIsThere = true;
      await flaky.start(name);
      expect(await host.get(name)).toMatchObject({ mark: undefined, status: 'running' });
      expect(await run(name, 'id -un')).toBe('pixel');
      await lifecycle.destroy(name);
    });
  });

  describe('cloning', () => {
    it('gives machines of their own: other host keys, machine-ids, addresses and names, the same files', async () => {
      const names = ['lc-twin-a', 'lc-twin-b'].map(parseName);
      const label = parseLabel('ready');
      const requests = names.map((name) =>
        lifecycle.create({ name, source: { from: { name: source, label } }, limits: {}, provision: true }),
      );
      await Promise.all(requests);
      const all = await Promise.all([source, ...names].map((name) => host.get(name)));
      expect(new Set(all.map((sandbox) => sandbox.state.hostKey)).size).toBe(3);
      const ids = await Promise.all([source, ...names].map((name) => run(name, 'cat /etc/machine-id')));
      expect(new Set(ids).size).toBe(3);
      expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
      expect(await run(names[0]!, 'hostname; getent hosts $(hostname) | cut -d" " -f1; cat file')).toBe(
        'px-lc-twin-a\n127.0.1.1\nbefore',
      );
      await expect
        .poll(async () => (await Promise.all(names.map((name) => host.get(name)))).map((s) => s.addresses[0]), {
          timeout: 20_000,
        })
        .toSatisfy((addresses: (string | undefined)[]) => addresses[0] !== undefined && addresses[0] !== addresses[1]);
      for (const name of names) await lifecycle.destroy(name);
    });
  });

  describe('restoring', () => {
    it('brings the files back, keeps limits and login, and keeps the state before as a checkpoint where it can', async () => {
      const name = parseName('lc-restore');
      await lifecycle.create({ name, source: { from: { name: source } }, limits: { cpu: 1 }, provision: true });
      await lifecycle.createCheckpoint(name, parseLabel('one'));
      await run(name, 'echo after > file; echo new > other');
      const before = await host.get(name);
      await lifecycle.restore(name, parseLabel('one'));

      expect(await run(name, 'cat file; ls')).toBe('before\nfile');
      const after = await host.get(name);
      expect(after).toMatchObject({ status: 'running', mark: undefined, cpu: 1, state: before.state });
      const safety = (await host.checkpoints(name)).filter(({ label }) => isSafetyLabel(label));
      // Where the way back would be destroyed by going back, there is none.
      expect(safety).toHaveLength((await host.info()).rollbackDestroysNewer ? 0 : 1);
      if (safety[0] !== undefined) {
        await lifecycle.restore(name, safety[0].label);
        expect(await run(name, 'cat file; ls')).toBe('after\nfile\nother');
        const kept = (await host.checkpoints(name)).map(({ label }) => label);
        expect(kept).toHaveLength(2);
        expect(kept).not.toContain(safety[0].label);
      }
      await lifecycle.destroy(name);
    });

    it('of a stopped sandbox leaves it stopped', async () => {
      const name = parseName('lc-stopped');
      await lifecycle.create({ name, source: { from: { name: source } }, limits: {}, provision: true });
      await lifecycle.createCheckpoint(name, parseLabel('one'));
      await run(name, 'echo after > file');
      await lifecycle.stop(name);
      await lifecycle.restore(name, parseLabel('one'));
      expect(await host.get(name)).toMatchObject({ status: 'stopped', mark: undefined });
      expect(await inside(host, name, 'cat /home/pixel/file')).toBe('before\n');
      await lifecycle.destroy(name);
    });

    it('to a label that does not exist touches nothing and names those that do', async () => {
      await expect(lifecycle.restore(source, parseLabel('nope'))).rejects.toMatchObject({
        kind: 'not-found',
        message: 'lc-source has no checkpoint "nope".',
        hint: 'It has: ready.',
      });
      expect(await host.get(source)).toMatchObject({ status: 'running', mark: undefined, checkpointCount: 1 });
    });

    it('twice at the same time is refused the second time', async () => {
      const name = parseName('lc-twice');
      await lifecycle.create({ name, source: { from: { name: source } }, limits: {}, provision: true });
      await lifecycle.createCheckpoint(name, parseLabel('one'));
      const outcomes = await Promise.allSettled([1, 2].map(() => lifecycle.restore(name, parseLabel('one'))));
      expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected']);
      const refused = outcomes.find((outcome) => outcome.status === 'rejected')!;
      expect(refused.reason).toMatchObject({ kind: 'busy' });
      expect(await host.get(name)).toMatchObject({ status: 'running', mark: undefined });
      await lifecycle.destroy(name);
    });

    it('that is cancelled while it saves the present state leaves all as it was', async () => {
      const controller = new AbortController();
      const onProgress = ({ message }: Progress): void => {
        if (message.startsWith('Stopping')) controller.abort();
      };
      const restoring = lifecycle.restore(source, parseLabel('ready'), { signal: controller.signal, onProgress });
      await expect(restoring).rejects.toMatchObject({ kind: 'cancelled' });
      expect(await host.get(source)).toMatchObject({ status: 'running', mark: undefined, checkpointCount: 1 });
    });
  });

  describe('starting', () => {
    it('learns the host key anew and lets this machine’s key in, whatever was done to them inside', async () => {
      const name = parseName('lc-rekeyed');
      await lifecycle.create({ name, source: { from: { name: source } }, limits: {}, provision: true });
      const { hostKey } = (await host.get(name)).state;
      const newKey = 'cd /etc/ssh; sudo rm ssh_host_*; sudo ssh-keygen -q -t ed25519 -N "" -f ssh_host_ed25519_key';
      await run(name, `rm .ssh/authorized_keys; ${newKey}`);
      await lifecycle.start(name);
      const inside = await run(name, 'cut -d" " -f1,2 /etc/ssh/ssh_host_ed25519_key.pub; cat .ssh/authorized_keys');
      const after = (await host.get(name)).state;
      expect(after.hostKey).not.toBe(hostKey);
      expect(inside).toBe(`${after.hostKey ?? ''}\n${publicKey}`);
      await lifecycle.destroy(name);
    });
  });

  describe('starting a sandbox whose recipe failed', () => {
    it('makes somebody look again: it is tried again at every boot', async () => {
      const outcomeAfterStart = async (outcome: 'failed' | 'done') => {
        const record = writeProvisionRecord({ recipe: 'agent', hash: 'x', outcome });
        await host.updateState(source, () => ({ provision: record }));
        await lifecycle.stop(source, FORCED);
        await lifecycle.start(source);
        return readProvisionRecord((await host.get(source)).state.provision)?.outcome;
      };
      expect(await outcomeAfterStart('failed')).toBe('running');
      expect(await outcomeAfterStart('done')).toBe('done');
      await host.updateState(source, () => ({ provision: null }));
    });
  });

  describe('checkpoints', () => {
    it('get a label from the time when none is given', async () => {
      const label = await lifecycle.createCheckpoint(source);
      expect((await host.checkpoints(source)).map((checkpoint) => checkpoint.label)).toContain(label);
      await lifecycle.deleteCheckpoint(source, label);
    });

    it('cannot be labelled as if a restore had made them', async () => {
      await expect(lifecycle.createCheckpoint(source, parseLabel('before-restore-x'))).rejects.toMatchObject({
        kind: 'invalid',
      });
    });
  });

  describe('destroying', () => {
    it('what is gone says that it is not there', async () => {
      await expect(lifecycle.destroy(parseName('lc-gone'))).rejects.toMatchObject({ kind: 'not-found' });
    });

    it('that is cancelled before the removal has begun leaves all as it was', async () => {
      const controller = new AbortController();
      const cancelling = new Proxy(host, {
        get: (target, key: keyof SandboxHost) => {
          if (key === 'stop') controller.abort();
          return Reflect.get(target, key) as unknown;
        },
      });
      const guest = guestSetup({ user: 'pixel', publicKey: () => Promise.resolve(publicKey) });
      const destroying = new Lifecycle(cancelling, guest).destroy(source, { signal: controller.signal });
      await expect(destroying).rejects.toMatchObject({ kind: 'cancelled' });
      expect(await host.get(source)).toMatchObject({ status: 'running', mark: undefined, checkpointCount: 1 });
    });

    it('that was interrupted is given up by starting the sandbox', async () => {
      const mark = JSON.stringify({ action: 'destroy', id: 'x', host: 'elsewhere', pid: 1, since: 0 });
      await host.stop(source, { force: true, timeoutMs: 10_000 });
      await host.updateState(source, () => ({ mark }));
      await lifecycle.start(source);
      expect(await host.get(source)).toMatchObject({ status: 'running', mark: undefined });
      expect(await run(source, 'id -un')).toBe('pixel');
    });

    it('takes a running sandbox and its checkpoints', async () => {
      const name = parseName('lc-doomed');
      await lifecycle.create({ name, source: { from: { name: source } }, limits: {}, provision: false });
      await lifecycle.createCheckpoint(name, parseLabel('one'));
      await lifecycle.destroy(name);
      await expect(host.get(name)).rejects.toMatchObject({ kind: 'not-found' });
    });
  });
});

function fromImage(image = project.image): Source {
  return { image, placement: {} };
}

async function run(name: SandboxName, script: string): Promise<string> {
  const { stdout, stderr, exitCode } = await outputOf(host, name, commandRequest('pixel', ['sh', '-c', script]));
  if (exitCode !== 0) throw new Error(`${script}: ${exitCode} ${stderr}`);
  return stdout.trim();
}
