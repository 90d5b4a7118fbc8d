import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../../src/sandbox/log';
import { refused, TrueNasRefusal } from '../../../../src/truenas/errors';
import { undoneWhenCancelled } from '../../../../src/truenas/common/cancel';
import { imagesOf } from '../../../../src/truenas/virt/copy';
import { limitsOf } from '../../../../src/truenas/virt/create';
import { removeOldTasks, timeOf } from '../../../../src/truenas/common/cronTask';
import { ImageList } from '../../../../src/truenas/virt/images';
import { info } from '../../../../src/truenas/common/info';
import { refuseWithoutVirt } from '../../../../src/truenas/virt/supported';
import { fakeApi } from './fakeApi';

describe('limits', () => {
  it('are null where there are none, since an empty one is refused', () => {
    expect(limitsOf({})).toEqual({ cpu: null, memoryBytes: null });
    expect(limitsOf({ cpu: 2, memoryMiB: 300 })).toEqual({ cpu: '2', memoryBytes: 300 * 2 ** 20 });
  });
});

describe('the image of a copy', () => {
  it('is that of its source, or what that is called on the image server', () => {
    const image = { os: 'Debian', release: 'bookworm', variant: 'default' };
    expect(imagesOf({ image }, 'debian/12')).toEqual(['debian/12', 'debian/bookworm/default', 'debian/bookworm']);
    expect(imagesOf({ image: { ...image, variant: null } })).toEqual(['debian/bookworm/default', 'debian/bookworm']);
    expect(imagesOf({ image: { os: null, release: 'x' } }, 'own')).toEqual(['own']);
    expect(imagesOf({ image: { os: null, release: null } })).toEqual([]);
  });
});

describe('cron jobs of dead processes', () => {
  it('say when they were made', () => {
    const time = '2026-11-23T14:05:01.000Z';
    expect(timeOf(`Pixels: copy px-a to px-b (temporary, ${time})`)).toBe(Date.parse(time));
    expect(timeOf('Pixels: copy px-a to px-b')).toBe(0);
    expect(timeOf('Pixels: copy (temporary, yesterday)')).toBe(0);
  });

  it('are deleted when they are old and do not run, and nothing of others is', async () => {
    const now = Date.parse('2026-11-23T14:00:00.000Z');
    const task = (id: number, time: string) => ({ id, description: `Pixels: copy px-a to px-b (temporary, ${time})` });
    const deleted: unknown[] = [];
    const api = fakeApi({
      'cronjob.query': [
        task(1, '2026-11-23T11:00:00.000Z'),
        task(2, '2026-11-23T11:00:00.000Z'),
        task(3, '2026-11-23T13:50:00.000Z'),
      ],
      'core.get_jobs': [{ arguments: [2, false] }],
      'cronjob.delete': (id: unknown) => deleted.push(id) > 0,
    });
    expect(await removeOldTasks(api, silentLog, now)).toBe(true);
    expect(deleted).toEqual([1]);
    expect(await removeOldTasks(fakeApi({ 'cronjob.query': [] }), silentLog, now)).toBe(false);
  });
});

describe('images', () => {
  const choices = {
    'ubuntu/noble/default': { label: 'Ubuntu noble', instance_types: ['CONTAINER', 'VM'] },
    'debian/trixie': { label: 'Debian trixie', instance_types: ['CONTAINER'] },
    'windows/11': { label: 'Windows 11', instance_types: ['VM'] },
  };

  it('are those for containers, asked for once', async () => {
    const api = fakeApi({ 'virt.instance.image_choices': choices });
    const images = new ImageList(api);
    expect((await images.load()).map(({ alias }) => alias)).toEqual(['debian/trixie', 'ubuntu/noble/default']);
    await images.load();
    expect(api.calls).toHaveLength(1);
    await expect(images.load(AbortSignal.abort())).rejects.toMatchObject({ kind: 'cancelled' });
  });

  it('are none where the NAS cannot reach the image server', async () => {
    expect(await new ImageList(fakeApi({ 'virt.instance.image_choices': 'failed' })).load()).toEqual([]);
    await expect(new ImageList(fakeApi({ 'virt.instance.image_choices': 'forbidden' })).load()).rejects.toMatchObject({
      kind: 'forbidden',
    });
  });

  it('that are like the unknown one are named first', async () => {
    const images = new ImageList(fakeApi({ 'virt.instance.image_choices': choices }));
    const refusal = refused(new TrueNasRefusal('virt.instance.create', { errno: 2, reason: 'Image not found' }));
    const error = await images.explain('ubuntu/26.04', refusal);
    expect(error).toMatchObject({
      kind: 'not-found',
      hint: 'There are, for example: ubuntu/noble/default, debian/trixie.',
    });
    const other = new Error('other');
    expect(await images.explain('ubuntu/26.04', other)).toBe(other);
  });
});

describe('what the server is', () => {
  const driver = { copiesAreLinked: true, isExperimental: false, lacks: {} };
  const details = { version: 'TrueNAS-25.10.1', hostname: 'nas', cores: 8, physmem: 16 * 2 ** 30 };

  it('is told with its hardware', async () => {
    expect(await info(fakeApi({ 'system.info': details }), driver)).toEqual({
      title: 'TrueNAS 25.10.1 on nas',
      cpuCount: 8,
      memoryMiB: 16 * 1024,
      rollbackDestroysNewer: true,
      copiesAreLinked: true,
      lacks: {},
    });
  });

  it('is told without it to a key that may not ask', async () => {
    const told = await info(fakeApi({ 'system.info': 'forbidden' }), driver);
    expect(told).toMatchObject({ title: 'TrueNAS 25.10.1', cpuCount: Infinity, memoryMiB: Infinity });
  });

  it.each(['TrueNAS-25.04.2', 'TrueNAS-25.04.2.6', 'TrueNAS-25.10.1', 'TrueNAS-25.04.10'])('%s will do', (version) => {
    refuseWithoutVirt({ version, containers: 'virt' });
  });

  it.each([
    ['TrueNAS-25.04.1', 'virt'],
    ['TrueNAS-25.04.0', 'virt'],
    ['TrueNAS-SCALE-24.10.2', 'none'],
    ['TrueNAS-26.0.0-BETA.3', 'container'],
  ] as const)('%s will not', (version, containers) => {
    const server = { version, containers, snapshots: 'pool.snapshot' } as const;
    expect(() => refuseWithoutVirt(server)).toThrow(expect.objectContaining({ kind: 'unsupported' }));
  });
});

describe('what the server cannot stop half-way', () => {
  const done: string[] = [];
  const work = (ms: number) => async (): Promise<void> => {
    await delay(ms);
    done.push('made');
  };
  const undo = (): Promise<void> => Promise.resolve(void done.push('undone'));

  it('comes to its end and is undone when it is cancelled meanwhile', async () => {
    done.length = 0;
    const abort = new AbortController();
    const result = undoneWhenCancelled(abort.signal, silentLog, work(20), undo);
    abort.abort();
    await expect(result).rejects.toMatchObject({ kind: 'cancelled' });
    expect(done).toEqual(['made', 'undone']);
  });

  it('is not begun when it was cancelled before, and stays when nobody cancels it', async () => {
    done.length = 0;
    const before = undoneWhenCancelled(AbortSignal.abort(), silentLog, work(0), undo);
    await expect(before).rejects.toMatchObject({ kind: 'cancelled' });
    expect(done).toEqual([]);
    await undoneWhenCancelled(new AbortController().signal, silentLog, work(0), undo);
    await undoneWhenCancelled(undefined, silentLog, work(0), undo);
    expect(done).toEqual(['made', 'made']);
  });
});
