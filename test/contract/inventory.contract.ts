import { describe, expect, it } from 'vitest';
import { parseName } from '../../src/sandbox/name';
import { running, stopped, type Subject } from './sandboxHost.contract';
import { eventually, failure, limitsFor } from './support';

export function inventoryContract(subject: Subject): void {
  describe('info, images, list and get', () => {
    it('says what the server is and has', async () => {
      const info = await subject.host.info();
      expect(info.title).toMatch(/\d/);
      expect(info.cpuCount).toBeGreaterThan(0);
      expect(info.memoryMiB).toBeGreaterThan(256);
    });

    it('lists the images that there are, by alias, with their size or none', async () => {
      const images = await subject.host.images();
      const aliases = images.map(({ alias }) => alias);
      expect(aliases).toContain(subject.image);
      expect(aliases).toEqual([...aliases].sort());
      expect(images.every(({ sizeBytes = 1 }) => sizeBytes > 0)).toBe(true);
    });

    it('lists sandboxes by name', async () => {
      const names = (await subject.host.list()).map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining([running, stopped]));
      expect(names).toEqual([...names].sort());
    });

    it('tells status, limits, age, image, checkpoints and state of a sandbox', async () => {
      const sandbox = await subject.host.get(stopped);
      expect(sandbox).toMatchObject({
        name: stopped,
        status: 'stopped',
        addresses: [],
        cpu: undefined,
        memoryMiB: undefined,
        checkpointCount: 1,
        state: { sshUser: 'pixel' },
        mark: undefined,
      });
      expect(sandbox.image).toBeTruthy();
      expect(Date.now() - sandbox.createdAt.getTime()).toBeLessThan(600_000);
      expect(await subject.host.get(running)).toMatchObject({ status: 'running', ...limitsFor(subject, 1, 512) });
    });

    it('tells the same in the list as one by one', async () => {
      await eventually(15_000, async () => (await subject.host.get(running)).addresses[0]);
      const list = await subject.host.list();
      for (const name of [running, stopped]) {
        expect(list.find((sandbox) => sandbox.name === name)).toEqual(await subject.host.get(name));
      }
    });

    it('knows the address of a running sandbox, IPv4 first', async () => {
      const address = await eventually(15_000, async () => (await subject.host.get(running)).addresses[0]);
      expect(address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    });

    it('finds no sandbox that is not there', async () => {
      const error = await failure(subject.host.get(parseName('ct-nobody')), 'not-found');
      expect(error.message).toContain('ct-nobody');
    });

    it('asks nothing when it is cancelled already', async () => {
      const signal = AbortSignal.abort();
      await failure(subject.host.info(signal), 'cancelled');
      await failure(subject.host.list(signal), 'cancelled');
      await failure(subject.host.get(running, signal), 'cancelled');
      await failure(subject.host.images(signal), 'cancelled');
    });

    it('answers nothing after it was closed', async () => {
      const other = subject.connect();
      await other.info();
      other.close();
      await failure(other.info(), 'unreachable');
    });
  });
}
