import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { baseCatalog, type BaseCatalogOptions } from '../../../src/provision/baseCatalog';
import type { OwnBase } from '../../../src/provision/ownBase';
import { findRecipe } from '../../../src/provision/recipes';
import { parseBaseName, type BaseDefinition } from '../../../src/sandbox/base';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'pixels-bases-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function catalog(options: Partial<BaseCatalogOptions> = {}) {
  return baseCatalog({ directory, image: 'debian/12', recipe: 'agent', facts: ['pixel'], ...options });
}
function find(name: string, options: Partial<BaseCatalogOptions> = {}): Promise<BaseDefinition> {
  return catalog(options).find(parseBaseName(name));
}
function script(name: string, text: string): string {
  const file = path.join(directory, name);
  writeFileSync(file, text);
  return file;
}
function recipe(id: string, toml: string): void {
  writeFileSync(path.join(directory, `${id}.toml`), toml);
}
const STEP = '[[steps]]\nid = "one"\nscript = "true"';

describe('the bases', () => {
  it('that come with Pixels are made of the usual image, or of each other', async () => {
    const all = await catalog().all();
    expect(all.map(({ name, parent, image }) => [name, parent, image])).toEqual([
      ['agent', undefined, 'debian/12'],
      ['dev', undefined, 'debian/12'],
      ['node', 'dev', 'debian/12'],
      ['python', 'dev', 'debian/12'],
    ]);
    for (const { description } of all) expect(description).not.toBe('');
    expect(new Set(all.map(({ hash }) => hash)).size).toBe(all.length);
  });

  it('are also the person’s own recipes and those of the configuration', async () => {
    recipe('mine', `title = "Mine"\nfrom = "agent"\n${STEP}`);
    const bases = { tiny: { image: 'alpine/3', description: 'small' }, tinier: { from: 'tiny' } };
    const all = await catalog({ bases }).all();
    expect(all.find(({ name }) => name === 'mine')).toMatchObject({ parent: 'agent', description: 'Mine' });
    expect(all.find(({ name }) => name === 'tiny')).toMatchObject({ parent: undefined, image: 'alpine/3' });
    // The image is the one at the root.
    expect(all.find(({ name }) => name === 'tinier')).toMatchObject({ parent: 'tiny', image: 'alpine/3' });
  });

  it('of the configuration take the place of others, also as parents', async () => {
    const bases = { dev: { image: 'ubuntu/24.04' } };
    expect(await find('python', { bases })).toMatchObject({ parent: 'dev', image: 'ubuntu/24.04' });
  });

  it('of recipe files elsewhere have names of their own, whatever the files are called', async () => {
    mkdirSync(path.join(directory, 'a'));
    const file = path.join(directory, 'a', 'agent.toml');
    writeFileSync(file, `title = "Other"\n${STEP}`);
    const options = { recipe: file };
    const name = catalog(options).nameOf(file);
    expect(name).toMatch(/^agent-[0-9a-f]{6}$/);
    expect(await find(name, options)).toMatchObject({ name, recipe: file, description: 'Other' });
    expect((await catalog(options).all()).map((base) => base.name)).toEqual(['agent', name, 'dev', 'node', 'python']);
    expect(catalog().nameOf(path.join(directory, 'b', 'agent.toml'))).not.toBe(name);
    expect(catalog().nameOf('agent')).toBe('agent');
  });

  it('that nobody defines are not there', async () => {
    await expect(find('ruby')).rejects.toMatchObject({
      kind: 'not-found',
      hint: expect.stringContaining('agent, dev, node, python') as string,
    });
  });
});

describe('refused, with the whole way there, is', () => {
  const refused: [string, Record<string, OwnBase>, string, string][] = [
    ['a circle through one of ours', { dev: { from: 'python' } }, 'python', 'python → dev → python'],
    ['the same from its other end', { dev: { from: 'python' } }, 'dev', 'dev → python → dev'],
    ['a base that is its own parent', { me: { from: 'me' } }, 'me', 'me → me'],
    ['a circle further down', { a: { from: 'b' }, b: { from: 'c' }, c: { from: 'b' } }, 'a', 'b → c → b'],
    ['an unknown parent', { a: { from: 'b' }, b: { from: 'nobody' } }, 'a', 'no recipe "nobody": a → b → nobody.'],
    ['a part of a recipe as a parent', { a: { from: 'basics' } }, 'a', 'no recipe "basics": a → basics.'],
  ];
  it.each(refused)('%s', async (_, bases, name, message) => {
    await expect(find(name, { bases })).rejects.toMatchObject({
      kind: 'config',
      message: expect.stringContaining(message) as string,
    });
  });

  it('a circle of recipe files', async () => {
    recipe('one', 'title = "One"\ninclude = ["two"]');
    recipe('two', 'title = "Two"\nfrom = "one"');
    await expect(find('one')).rejects.toMatchObject({
      kind: 'config',
      message: expect.stringContaining('one → two → one') as string,
    });
  });

  it('a setup script that is not there', async () => {
    await expect(find('a', { bases: { a: { from: 'agent', setupScript: '/nowhere.sh' } } })).rejects.toMatchObject({
      kind: 'config',
      message: 'mcp.bases.a: the setup script /nowhere.sh cannot be read (ENOENT).',
    });
  });
});

describe('its hash', () => {
  it('is the same for the same recipe, whatever the order of its keys and its words for people', async () => {
    recipe('mine', `title = "Mine"\nfrom = "agent"\n${STEP}\nas = "user"`);
    const before = await find('mine');
    recipe(
      'mine',
      `from = "agent"\ntitle = "Meins"\n[[steps]]\nas = "user"\nscript = "true"\nid = "one"\ntitle = "Eins"`,
    );
    expect((await find('mine')).hash).toBe(before.hash);
  });

  it.each<[string, () => Partial<BaseCatalogOptions>]>([
    ['recipe', () => (recipe('mine', 'title = "Mine"\nfrom = "agent"\n[[steps]]\nid = "one"\nscript = "false"'), {})],
    ['image', () => ({ image: 'debian/13' })],
    ['user', () => ({ facts: ['somebody'] })],
    ['parent', () => (recipe('mine', `title = "Mine"\nfrom = "dev"\n${STEP}`), {})],
    ['recipe of its parent', () => ({ bases: { agent: { image: 'debian/12', setupScript: script('x.sh', 'true') } } })],
  ])('is another one for another %s', async (_, change) => {
    recipe('mine', `title = "Mine"\nfrom = "agent"\n${STEP}`);
    const { hash } = await find('mine');
    expect((await find('mine', change())).hash).not.toBe(hash);
  });

  it('changes with what is in a setup script', async () => {
    const bases = { a: { image: 'debian/12', setupScript: script('a.sh', 'echo 1') } };
    const { hash } = await find('a', { bases });
    expect((await find('a', { bases })).hash).toBe(hash);
    script('a.sh', 'echo 2');
    expect((await find('a', { bases })).hash).not.toBe(hash);
  });
});

describe('a recipe that', () => {
  it('includes what another one has included too does it once', async () => {
    const { steps } = await findRecipe('node', { directory });
    expect(steps.map(({ id }) => id)).toEqual(['packages', 'build-tools', 'path', 'mise', 'node']);
  });

  it('includes another step of the same id is refused', async () => {
    recipe('mine', 'title = "Mine"\ninclude = ["node-lts"]\n[[steps]]\nid = "mise"\nscript = "true"');
    await expect(findRecipe('mine', { directory })).rejects.toThrow('there are two steps "mise"');
  });

  it('has no step at all, of its own or from elsewhere, is refused', async () => {
    recipe('mine', 'title = "Mine"');
    await expect(findRecipe('mine', { directory })).rejects.toThrow('mine.toml: it has no steps.');
  });
});

describe('a setup script', () => {
  /** What it prints as the step that it becomes; with another place for it than in a sandbox. */
  async function run(text: string): Promise<string> {
    const bases = { a: { image: 'debian/12', setupScript: script('a.sh', text) } };
    const { steps } = await findRecipe('a', { directory, bases });
    const step = steps.at(-1)!.sources[0]!.script.replaceAll('/usr/local/lib/pixels', directory);
    return execFileSync('sh', ['-euc', step], { encoding: 'utf8', stdio: 'pipe' });
  }

  it('is run by whatever its first line says', async () => {
    expect(await run('#!/bin/bash\na=(1 2 3)\necho "${a[2]} $BASH_VERSION"')).toMatch(/^3 5/);
    expect(await run('#!/usr/bin/env node\nconsole.log(1 + 1);\n')).toBe('2\n');
    expect(await run("echo 'EOF $HOME'\nfalse\necho on")).toBe('EOF $HOME\non\n');
  });

  it('that fails is a step that fails', async () => {
    await expect(run('exit 3')).rejects.toMatchObject({ status: 3 });
  });
});
