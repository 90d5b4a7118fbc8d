import { describe, expect, it } from 'vitest';
import { lacking, requireCapability } from '../../../src/sandbox/lacks';
import { chosenLimits, type LimitRequest } from '../../../src/sandbox/limits';
import type { HostInfo, Lacks } from '../../../src/sandbox/sandbox';

const NO_MEMORY = 'This server cannot limit memory.';

/** The limits that a server with 4 CPUs and 8 GiB is to give, and what was said on the way there. */
async function choose(request: LimitRequest, lacks: Lacks = {}) {
  const hardware = { title: 'it', cpuCount: 4, memoryMiB: 8192 };
  const info: HostInfo = { ...hardware, rollbackDestroysNewer: false, copiesAreLinked: false, lacks };
  const said: string[] = [];
  let asked = 0;
  const host = { info: () => (asked++, Promise.resolve(info)) };
  const limits = await chosenLimits(host, { ...request, onLeftOut: (sentence) => said.push(sentence) });
  return { limits, said, asked };
}

describe('limits of a new sandbox', () => {
  it('are those that were asked for, and the defaults for the rest', async () => {
    const defaults = { cpu: 2, memoryMiB: 2048 };
    expect((await choose({ limits: { cpu: 1 }, defaults })).limits).toEqual({ cpu: 1, memoryMiB: 2048 });
    expect((await choose({ limits: { memoryMiB: 512 } })).limits).toEqual({ memoryMiB: 512 });
  });

  it('are none without a question to the server when nobody wants any', async () => {
    expect(await choose({ limits: {}, defaults: {} })).toEqual({ limits: {}, said: [], asked: 0 });
  });

  it.each([
    [{ cpu: 0 }, 'invalid', 'whole number of CPUs'],
    [{ cpu: 1.5 }, 'invalid', 'whole number of CPUs'],
    [{ cpu: 5 }, 'invalid', 'The server has 4 CPUs'],
    [{ memoryMiB: 63 }, 'invalid', 'at least 64 MiB'],
    [{ memoryMiB: 8193 }, 'invalid', 'The server has 8192 MiB'],
  ])(
    '%j are refused when they were asked for, and left out with a word when they are defaults',
    async (wrong, kind, words) => {
      await expect(choose({ limits: wrong })).rejects.toMatchObject({
        kind,
        message: expect.stringContaining(words) as unknown,
      });
      const { limits, said } = await choose({ limits: {}, defaults: wrong });
      expect(limits).toEqual({});
      expect(said).toEqual([expect.stringContaining(words)]);
    },
  );

  it('of memory are refused by a server that has none, with its own sentence; a default does no harm there', async () => {
    const lacks = { memoryLimit: NO_MEMORY };
    const refused = choose({ limits: { memoryMiB: 512 } }, lacks);
    await expect(refused).rejects.toMatchObject({ kind: 'unsupported', message: NO_MEMORY });
    const { limits, said } = await choose({ limits: { cpu: 2 }, defaults: { memoryMiB: 512 } }, lacks);
    expect(limits).toEqual({ cpu: 2 });
    expect(said).toEqual([`${NO_MEMORY} The default of the configuration is left out.`]);
  });

  it('that were asked for are not compared with a default that nobody can give', async () => {
    const { limits, said } = await choose({ limits: { cpu: 3 }, defaults: { cpu: 99 } });
    expect([limits, said]).toEqual([{ cpu: 3 }, []]);
  });
});

describe('what a server lacks', () => {
  it('is refused with the reason, and nothing else is', () => {
    const info = { lacks: { memoryLimit: NO_MEMORY } };
    expect(lacking(info, 'memoryLimit')).toMatchObject({ kind: 'unsupported', message: NO_MEMORY });
    expect(lacking(info, 'checkpoints')).toBeUndefined();
    expect(() => requireCapability(info, 'memoryLimit')).toThrow(NO_MEMORY);
    expect(() => requireCapability(info, 'checkpoints')).not.toThrow();
  });
});
