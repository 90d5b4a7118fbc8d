import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashOf } from '../../../src/provision/plan';
import { parseRecipe, type Recipe } from '../../../src/provision/recipe';
import { findRecipe, recipeIds, referenceTo } from '../../../src/provision/recipes';

const noScripts = (file: string): Promise<string> => Promise.reject(new Error(file));
const noRecipes = (id: string): Promise<Recipe> => Promise.reject(new Error(id));
const parse = (toml: string, read = noScripts): Promise<Recipe> =>
  parseRecipe('mine', toml, { where: 'mine.toml', read, from: noRecipes, include: noRecipes });
const STEP = 'id = "one"\nscript = "true"';
const withStep = (lines: string): string => `title = "Mine"\n[[steps]]\n${lines}`;

describe('a recipe', () => {
  it('has defaults for all that a step does not say', async () => {
    expect(await parse(withStep(STEP))).toEqual({
      id: 'mine',
      title: 'Mine',
      network: [],
      description: '',
      steps: [
        {
          id: 'one',
          title: 'one',
          as: 'root',
          needs: [],
          optional: undefined,
          check: undefined,
          sources: [{ title: '', answers: undefined, script: 'true' }],
          timeoutMinutes: 15,
          retries: 3,
        },
      ],
    });
  });

  it('installs packages, and knows by itself when they are there', async () => {
    const { steps } = await parse(withStep('id = "tools"\npackages = ["git", "g++"]'));
    expect(steps[0]).toMatchObject({
      check: 'have_packages git g++',
      sources: [{ script: 'install_packages git g++' }],
    });
  });

  it('reads scripts from files beside it', async () => {
    const read = (file: string): Promise<string> => Promise.resolve(`# ${file}`);
    const { steps } = await parse(withStep('id = "one"\nsources = [{ title = "a", script_file = "a.sh" }]'), read);
    expect(steps[0]?.sources).toEqual([{ title: 'a', answers: undefined, script: '# a.sh' }]);
  });

  it.each([
    ['what is no TOML', 'title = ', 'mine.toml: line 1: '],
    ['one without steps', 'title = "x"\nsteps = []', 'mine.toml: steps is too small or empty.'],
    ['an unknown key', withStep(`${STEP}\ntimeout = 3`), 'mine.toml: steps[1] has an unknown key, timeout.'],
    ['a step without an id', withStep('script = "true"'), 'mine.toml: steps[1].id '],
    [
      'an id that cannot name a file',
      withStep('id = "../x"\nscript = "true"'),
      'mine.toml: steps[1].id cannot be this.',
    ],
    ['two steps of one id', withStep(`${STEP}\n[[steps]]\n${STEP}`), 'there are two steps "one"'],
    [
      'a need below',
      withStep(`${STEP}\nneeds = ["two"]\n[[steps]]\nid = "two"\nscript = "true"`),
      'step "one" needs "two", which is no step above it',
    ],
    ['nothing to do', withStep('id = "one"'), 'step "one" must have exactly one of packages, script'],
    ['two ways at once', withStep(`${STEP}\npackages = ["git"]`), 'step "one" must have exactly one of'],
    ['packages for the user', withStep('id = "one"\nas = "user"\npackages = ["git"]'), 'which only root can do'],
    [
      'a package that is an option',
      withStep('id = "one"\npackages = ["-o=x"]'),
      'mine.toml: steps[1].packages[1] cannot be this.',
    ],
    ['a script that is not there', withStep('id = "one"\nscript_file = "a.sh"'), 'step "one": a.sh cannot be read'],
    ['a title of two lines', withStep(`${STEP}\ntitle = "a\\nb"`), 'mine.toml: steps[1].title cannot be this.'],
    [
      'an address that is none',
      withStep('id = "one"\nsources = [{ title = "a", answers = "x", script = "" }]'),
      'steps[1].sources[1].answers cannot be this.',
    ],
  ])('refuses %s and says where', async (_, toml, message) => {
    await expect(parse(toml)).rejects.toMatchObject({
      kind: 'config',
      message: expect.stringContaining(message) as string,
    });
  });
});

describe('its hash', () => {
  const hash = async (lines: string): Promise<string> => hashOf(await parse(withStep(lines)));

  it('is the same for the same recipe, in whatever order its keys are and whatever it says to people', async () => {
    const one = await hash('id = "one"\ntitle = "One"\nscript = "true"\nas = "user"\nretries = 1');
    expect(await hash('as = "user"\nscript = "true"\nid = "one"\ntitle = "Eins"\nretries = 7')).toBe(one);
    expect(one).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    ['script', 'id = "one"\nscript = "false"'],
    ['check', `${STEP}\ncheck = "true"`],
    ['person', `${STEP}\nas = "user"`],
    ['id', 'id = "two"\nscript = "true"'],
    ['number of steps', `${STEP}\n[[steps]]\nid = "two"\nscript = "true"`],
    ['source', 'id = "one"\nsources = [{ title = "a", answers = "http://a", script = "true" }]'],
  ])('is another one for another %s', async (_, lines) => {
    expect(await hash(lines)).not.toBe(await hash(STEP));
  });
});

describe('recipes', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'pixels-recipes-'));
    writeFileSync(path.join(directory, 'mine.toml'), withStep('id = "one"\nscript_file = "one.sh"'));
    writeFileSync(path.join(directory, 'one.sh'), 'echo one');
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it('are those that come with Pixels and the person’s own', async () => {
    expect(await recipeIds({ directory })).toEqual(expect.arrayContaining(['agent', 'mine']));
    expect((await findRecipe('mine', { directory })).steps[0]?.sources[0]?.script).toBe('echo one');
  });

  it('that come with Pixels are all right', async () => {
    for (const id of await recipeIds({})) expect((await findRecipe(id, {})).steps.length).toBeGreaterThan(0);
    expect((await findRecipe('agent', {})).steps.map(({ id }) => id)).toEqual([
      'packages',
      'path',
      'mise',
      'node',
      'claude-code',
      'codex',
      'opencode',
    ]);
  });

  it('of a person take the place of ours', async () => {
    writeFileSync(path.join(directory, 'agent.toml'), withStep(STEP));
    expect((await findRecipe('agent', { directory })).title).toBe('Mine');
    rmSync(path.join(directory, 'agent.toml'));
  });

  it('can be files, which are found again from elsewhere', async () => {
    const file = path.join(directory, 'mine.toml');
    const relative = `./${path.relative(process.cwd(), file)}`;
    expect((await findRecipe(relative, {})).id).toBe('mine');
    expect(referenceTo(relative)).toBe(file);
    expect(referenceTo('agent')).toBe('agent');
  });

  it('that are not there are said with those that are', async () => {
    await expect(findRecipe('agnet', { directory })).rejects.toMatchObject({
      kind: 'not-found',
      hint: expect.stringMatching(/agent.*mine/) as string,
    });
  });
});
