import { describe, expect, it } from 'vitest';
import { baseCatalog } from '../../../src/provision';
import { Bases } from '../../../src/sandbox/bases';
import { PixelsError } from '../../../src/sandbox/errors';
import type { GuestSetup } from '../../../src/sandbox/guest';
import type { SandboxHost } from '../../../src/sandbox/host';
import type { Lacks } from '../../../src/sandbox/sandbox';

const NO_CHECKPOINTS = 'This server takes no checkpoints.';

/** On a server that has nothing yet; it can only be asked. The real ones are tried by the contract suite. */
function basesOn(lacks: Lacks): Bases {
  const host = {
    info: () => Promise.resolve({ lacks }),
    get: () => Promise.reject(new PixelsError('not-found', 'It is not there.')),
    imageFingerprint: () => Promise.resolve(undefined),
  } as unknown as SandboxHost;
  const catalog = baseCatalog({ image: 'debian/12', recipe: 'node', facts: [] });
  return new Bases({ host, guest: {} as GuestSetup, placement: {}, catalog });
}

describe('bases on a server that takes no checkpoints, of which they would be cloned', () => {
  const bases = basesOn({ checkpoints: NO_CHECKPOINTS });
  const name = bases.catalog.nameOf('node');

  it('are not worth building, so that each sandbox has its recipe put in', async () => {
    const { source, recipe, worthBuilding } = await bases.bestSource(name);
    expect({ source, recipe, worthBuilding }).toMatchObject({ source: { image: 'debian/12' }, worthBuilding: false });
    expect(recipe).toBe('node');
    expect((await basesOn({}).bestSource(name)).worthBuilding).toBe(true);
  });

  it('are refused with the reason before anything is made', async () => {
    await expect(bases.build(name)).rejects.toMatchObject({ kind: 'unsupported', message: NO_CHECKPOINTS });
  });
});
