import { createHash, randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { World } from './world';

/** Never the key of any sandbox. */
export const OTHER_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO7+9cFWdpC6DqZXbYLrGnPoZyAUUJX8/bVLy7RpJ4XW';

const MIB = 1 << 20;

/** What every way into a sandbox must do: through the tunnel of its server, or to its address. */
export function loginCases(world: () => World, transport: 'tunnel' | 'direct', movedMiB: number): void {
  describe(`ssh, ${transport}`, () => {
    const entry = async (hostKey = world().hostKeys.get('sshbox')) => {
      const address = transport === 'direct' ? await world().address('sshbox') : undefined;
      return world().entry('sshbox', { transport, address, hostKey });
    };

    beforeEach(async () => world().list(await entry()));

    it('logs in with strict host key checking, silently, and returns the command’s exit code', async () => {
      const { stdout: understood } = await world().login('-G', 'sshbox.pixels');
      expect(understood).toMatch(/^stricthostkeychecking true$/m);
      const result = await world().login('sshbox.pixels', 'id -un; hostname; echo problem >&2; exit 42');
      expect(result).toEqual({ exitCode: 42, stdout: 'pixel\npx-sshbox\n', stderr: 'problem\n' });
    });

    it('refuses a sandbox with another host key', async () => {
      await world().list(await entry(OTHER_KEY));
      const { exitCode, stdout, stderr } = await world().login('sshbox.pixels', 'true');
      expect({ exitCode, stdout }).toEqual({ exitCode: 255, stdout: '' });
      expect(stderr).toContain('Host key verification failed');
    });

    it('refuses a sandbox whose host key is not known', async () => {
      await world().list({ ...(await entry()), hostKey: undefined });
      const { exitCode, stderr } = await world().login('sshbox.pixels', 'true');
      expect(exitCode).toBe(255);
      expect(stderr).toContain('Host key verification failed');
    });

    it(`carries ${movedMiB} MiB there and back unchanged`, async () => {
      const child = world().start('sshbox.pixels', 'cat');
      const block = randomBytes(MIB);
      const sent = createHash('sha256');
      const received = createHash('sha256');
      child.stdout!.on('data', (chunk: Buffer) => received.update(chunk));
      for (let index = 0; index < movedMiB; index++) {
        block.writeUInt32BE(index);
        sent.update(block);
        if (!child.stdin!.write(Buffer.from(block)))
          await new Promise((resolve) => child.stdin!.once('drain', resolve));
      }
      child.stdin!.end();
      expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
      expect(received.digest('hex')).toBe(sent.digest('hex'));
    });
  });
}

/** What only the tunnel of a server can do, or has to. */
export function tunnelCases(world: () => World): void {
  describe('the tunnel', () => {
    beforeEach(() => world().list(world().entry('sshbox')));

    it('refuses a sandbox whose host key was replaced inside, until it is as it was', async () => {
      const inside = (script: string) => world().exec('sshbox', ['sh', '-ec', `cd /etc/ssh; ${script}`]);
      await inside('mkdir kept; mv ssh_host_* kept; ssh-keygen -q -A');
      try {
        const { exitCode, stdout, stderr } = await world().login('sshbox.pixels', 'echo in');
        expect({ exitCode, stdout }).toEqual({ exitCode: 255, stdout: '' });
        expect(stderr).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED');
      } finally {
        await inside('mv -f kept/* .; rmdir kept');
      }
      expect(await world().login('sshbox.pixels', 'echo in')).toMatchObject({ exitCode: 0, stdout: 'in\n' });
    });

    it('starts a stopped sandbox, waits for the end of its boot, and is used by three at once', async () => {
      for (const logins of [1, 3]) {
        await world().setState('sshbox', 'stop');
        const all = await Promise.all(Array.from({ length: logins }, () => world().login('sshbox.pixels', 'id -un')));
        for (const login of all) expect(login).toEqual({ exitCode: 0, stdout: 'pixel\n', stderr: '' });
        expect(await world().status('sshbox')).toBe('Running');
      }
    });
  });
}
