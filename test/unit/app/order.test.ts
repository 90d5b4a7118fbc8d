import { describe, expect, it } from 'vitest';
import { orderFor, usualBase, type Wish } from '../../../src/app/order';
import { parseBaseName, READY } from '../../../src/sandbox/base';
import type { BestSource } from '../../../src/sandbox/bases';
import { parseName } from '../../../src/sandbox/name';

const clone = { from: { name: parseName('px-lab'), label: READY } };
const defaults = { image: 'debian/12', pool: 'fast', network: undefined, cpu: 2 };
const image = (name: string) => ({ image: name, placement: { pool: 'fast', network: undefined } });

function pixels(best: Partial<BestSource> = {}, provision: object = {}) {
  const asked: string[] = [];
  const bases = {
    catalog: { nameOf: (recipe: string) => parseBaseName(`of-${recipe}`) },
    bestSource: (name: string) => {
      asked.push(name);
      return Promise.resolve({ source: clone, recipe: undefined, worthBuilding: false, ...best });
    },
  };
  const config = {
    defaults,
    provision: { enabled: true, devtools: true, autoBuild: true, recipe: 'agent', ...provision },
  };
  return { parts: { config, bases } as never, asked };
}

const order = (wish: Wish, best?: Partial<BestSource>, provision?: object, isProvisioned = true) =>
  orderFor(pixels(best, provision).parts, wish, isProvisioned);

describe('what a new sandbox is made of', () => {
  it('is the base of the usual recipe when nobody says anything, with the limits of the configuration', async () => {
    const { parts, asked } = pixels();
    expect(await orderFor(parts, {}, true)).toEqual({ source: clone, defaults });
    expect(asked).toEqual(['of-agent']);
  });

  it('is the next best thing where that base is missing, which is then to be built', async () => {
    const best = { source: image('debian/12'), recipe: 'agent', worthBuilding: true };
    const made = { source: image('debian/12'), recipe: 'agent', defaults };
    expect(await order({}, best)).toEqual({ ...made, baseToBuild: 'of-agent' });
    expect(await order({}, best, { autoBuild: false })).toEqual(made);
    expect(await order({}, { ...best, worthBuilding: false })).toEqual(made);
  });

  it('is the base that is named, also where sandboxes get no recipe by themselves', async () => {
    const { parts, asked } = pixels({}, { devtools: false });
    await orderFor(parts, { base: parseBaseName('dev') }, true);
    expect(asked).toEqual(['dev']);
  });

  it('is the image that is named, with the usual recipe or the one that is named', async () => {
    expect(await order({ image: 'x' })).toEqual({ source: image('x'), recipe: 'agent', defaults });
    expect(await order({ image: 'x', recipe: 'dev' })).toMatchObject({ source: image('x'), recipe: 'dev' });
    expect(await order({ recipe: 'dev' })).toMatchObject({ source: image('debian/12'), recipe: 'dev' });
  });

  it('is the bare image where nothing is to be put in', async () => {
    expect(await order({}, {}, { devtools: false })).toEqual({ source: image('debian/12'), defaults });
    expect(await order({}, {}, {}, false)).toEqual({ source: image('debian/12'), defaults });
  });

  it('is a copy with the limits and the recipe of its source', async () => {
    expect(await order({ from: clone.from })).toEqual({ source: clone, defaults: {} });
  });
});

it('there is no usual base where sandboxes get no recipe', () => {
  expect(usualBase(pixels().parts)).toBe('of-agent');
  expect(usualBase(pixels({}, { devtools: false }).parts)).toBeUndefined();
  expect(usualBase(pixels({}, { enabled: false }).parts)).toBeUndefined();
});
