import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config';

let home: string;
let file: string;

beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'pixels-config-'));
  file = path.join(home, '.config', 'pixels', 'config.toml');
  fs.mkdirSync(path.dirname(file), { recursive: true });
});
afterEach(() => fs.rmSync(home, { recursive: true }));

async function basesOf(toml: string) {
  fs.writeFileSync(file, toml);
  const { config, warnings } = await loadConfig({ env: { HOME: home } });
  expect(warnings).toEqual([]);
  return config.bases;
}

describe('[mcp.bases.NAME]', () => {
  it('is read, with its script relative to the file or to the home directory', async () => {
    expect(
      await basesOf(`
        [mcp.bases.rust]
        parent_image = "ubuntu/24.04"
        setup_script = "rust.sh"
        description = "Rust and cargo"
        [mcp.bases.web]
        from = "node"
        setup_script = "~/web.sh"
        [mcp.bases.plain]
        from = "web"
        [mcp]
        listen = "127.0.0.1:1"`),
    ).toEqual({
      rust: {
        image: 'ubuntu/24.04',
        from: undefined,
        setupScript: path.join(home, '.config/pixels/rust.sh'),
        description: 'Rust and cargo',
      },
      web: { image: undefined, from: 'node', setupScript: path.join(home, 'web.sh'), description: undefined },
      plain: { image: undefined, from: 'web', setupScript: undefined, description: undefined },
    });
    expect(await basesOf('')).toEqual({});
  });

  it.each([
    [
      'both parents',
      '[mcp.bases.a]\nparent_image = "x"\nfrom = "dev"',
      ':1: mcp.bases.a has both parent_image and from.',
    ],
    ['no parent', '\n[mcp.bases.a]\nsetup_script = "x"', ':2: mcp.bases.a has neither parent_image nor from.'],
    [
      'a wrong type',
      '[mcp.bases.a]\nfrom = "dev"\nsetup_script = 3',
      ':3: mcp.bases.a.setup_script must be a text of one line.',
    ],
    ['nothing', '[mcp.bases.a]\nfrom = ""', ':2: mcp.bases.a.from must be a text of one line.'],
    [
      'an unknown key',
      '[mcp.bases.a]\nparent_img = "x"',
      ':2: mcp.bases.a.parent_img is no key of a base; did you mean parent_image?',
    ],
    ['a name that none can have', '[mcp.bases.My_Base]\nfrom = "dev"', ':1: mcp.bases.My_Base cannot name a base'],
    ['a base that is no table', '[mcp.bases]\na = "dev"', ':2: mcp.bases.a must be a table, [mcp.bases.a].'],
    ['bases that are no table', '[mcp]\nbases = 3', ':2: mcp.bases must be a table, [mcp.bases.NAME].'],
  ])('with %s is refused, and where that is', async (_, toml, message) => {
    await expect(basesOf(toml)).rejects.toMatchObject({
      kind: 'config',
      message: expect.stringContaining(`~/.config/pixels/config.toml${message}`) as string,
    });
  });
});
