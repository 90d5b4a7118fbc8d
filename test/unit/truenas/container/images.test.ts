import { describe, expect, it } from 'vitest';
import { describeImage, Registry } from '../../../../src/truenas/container/images';
import { fakeApi } from '../virt/fakeApi';

const versions = (...all: string[]) => all.map((version) => ({ version }));
const registry = [
  { name: 'ubuntu:noble:amd64:default', versions: versions('20261005', '20261101', '20260901') },
  { name: 'ubuntu:noble:amd64:cloud', versions: versions('20261005') },
  { name: 'ubuntu:noble:arm64:default', versions: versions('20261201') },
  { name: 'debian:bookworm:amd64:default', versions: versions('20261123') },
  { name: 'alpine:3.22:amd64:default', versions: versions('20261010') },
  { name: 'empty:1:amd64:default', versions: [] },
];
const offering = (answer: unknown = registry) => fakeApi({ 'container.image.query_registry': answer });

describe('the images of TrueNAS 26', () => {
  it('are those for its processor, named as people name images', async () => {
    const api = offering();
    const images = new Registry(api);
    expect(await images.list()).toEqual([
      { alias: 'alpine/3.22', description: 'Alpine 3.22 amd64 (20261010)', sizeBytes: undefined },
      { alias: 'debian/bookworm', description: 'Debian bookworm amd64 (20261123)', sizeBytes: undefined },
      { alias: 'ubuntu/noble', description: 'Ubuntu noble amd64 (20261101)', sizeBytes: undefined },
      { alias: 'ubuntu/noble/cloud', description: 'Ubuntu noble cloud amd64 (20261005)', sizeBytes: undefined },
    ]);
    await images.list();
    expect(api.calls).toHaveLength(1);
    await expect(images.list(AbortSignal.abort())).rejects.toMatchObject({ kind: 'cancelled' });
  });

  it.each([
    ['debian/12', 'debian:bookworm:amd64:default', '20261123'],
    ['images:debian/12', 'debian:bookworm:amd64:default', '20261123'],
    ['ubuntu/24.04', 'ubuntu:noble:amd64:default', '20261101'],
    ['ubuntu/noble', 'ubuntu:noble:amd64:default', '20261101'],
    ['Ubuntu/noble/default', 'ubuntu:noble:amd64:default', '20261101'],
    ['ubuntu/noble/cloud', 'ubuntu:noble:amd64:cloud', '20261005'],
    ['ubuntu:noble:amd64:default', 'ubuntu:noble:amd64:default', '20261101'],
    ['alpine/3.22', 'alpine:3.22:amd64:default', '20261010'],
  ])('are found by what a person types, in the newest version: %s', async (typed, name, version) => {
    expect(await new Registry(offering()).find(typed)).toEqual({ name, version });
  });

  it.each(['debian/11', 'debian', 'ubuntu/noble/desktop', 'ubuntu/noble/default/x', 'empty/1', ''])(
    'that are not there are refused with those that are: %j',
    async (typed) => {
      await expect(new Registry(offering()).find(typed)).rejects.toMatchObject({
        kind: 'not-found',
        hint: expect.stringMatching(/^There are, for example: .*debian\/bookworm/) as unknown,
      });
    },
  );

  it('of the same system come first in that', async () => {
    await expect(new Registry(offering()).find('ubuntu/99')).rejects.toMatchObject({
      hint: 'There are, for example: ubuntu/noble, ubuntu/noble/cloud, alpine/3.22, debian/bookworm.',
    });
  });

  it('are none where the registry cannot be reached, and nothing can be made then', async () => {
    expect(await new Registry(offering('failed')).list()).toEqual([]);
    await expect(new Registry(offering('failed')).find('debian/12')).rejects.toMatchObject({ kind: 'unreachable' });
    await expect(new Registry(offering('forbidden')).list()).rejects.toMatchObject({ kind: 'forbidden' });
    await expect(new Registry(offering('unreachable')).list()).rejects.toMatchObject({ kind: 'unreachable' });
  });

  it('serve a copy by another one when that of its source is gone', async () => {
    const images = new Registry(offering());
    expect(await images.any('ubuntu:noble:amd64:cloud:20200101')).toMatchObject({ name: 'ubuntu:noble:amd64:cloud' });
    expect((await images.any('gone:1:amd64:default:1')).name).toMatch(/:amd64:/);
    expect((await images.any(undefined)).name).toMatch(/:amd64:/);
    await expect(new Registry(offering([])).any(undefined)).rejects.toMatchObject({ kind: 'not-found' });
  });
});

describe('what a sandbox was made of', () => {
  it.each([
    ['debian:bookworm:amd64:default:20261123', 'Debian bookworm amd64 (20261123)'],
    ['ubuntu:noble:amd64:cloud:20261123_07:42', 'Ubuntu noble cloud amd64 (20261123_07:42)'],
    ['debian/12', 'debian/12'],
  ])('%s is told as %s', (key, text) => expect(describeImage(key)).toBe(text));
});
