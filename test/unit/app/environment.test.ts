import { describe, expect, it } from 'vitest';
import { environmentOf, secretValues } from '../../../src/app/environment';
import { loadConfig } from '../../../src/config';

const TOML = `[env]
PLAIN = "p"
NAMED = "$WHO"
TABLE = { value = "t" }
SESSION = { value = "two words", session_only = true }
ODD = { value = 'say "hi"', session_only = true }
BEARER = { value = "Bearer $TOKEN", session_only = true }
TOKEN = { forward = true }
MISSING = { forward = true }`;

async function configOf(toml: string, env: Record<string, string> = {}) {
  const fs = await import('node:fs');
  const os = await import('node:os');
  const path = await import('node:path');
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'pixels-environment-'));
  try {
    const file = path.join(home, 'config.toml');
    fs.writeFileSync(file, toml, { mode: 0o600 });
    return (await loadConfig({ file, env: { HOME: home, ...env } })).config;
  } finally {
    fs.rmSync(home, { recursive: true });
  }
}

describe('environmentOf', () => {
  it('gives sessions everything, the sandbox what is for good, and ssh names where a value is secret', async () => {
    const config = await configOf(TOML, { WHO: 'me', TOKEN: 's3cret' });
    expect(environmentOf(config, {}, [])).toEqual({
      session: {
        plain: { PLAIN: 'p', NAMED: 'me', TABLE: 't' },
        secret: { SESSION: 'two words', ODD: 'say "hi"', BEARER: 'Bearer s3cret', TOKEN: 's3cret' },
      },
      written: { PLAIN: 'p', NAMED: 'me', TABLE: 't' },
      ssh: { names: ['ODD', 'BEARER', 'TOKEN', 'MISSING'], values: { SESSION: 'two words' } },
      lent: { ODD: 'say "hi"', BEARER: 'Bearer s3cret', TOKEN: 's3cret' },
    });
  });

  it('lets a secret win over a variable of its name, which is not written anywhere then', async () => {
    const config = await configOf(TOML);
    const { session, written, ssh, lent } = environmentOf(config, { PLAIN: 'hidden', SESSION: 'too' }, [
      'PLAIN',
      'SESSION',
    ]);
    expect(session.secret).toMatchObject({ PLAIN: 'hidden', SESSION: 'too' });
    expect(session.plain).not.toHaveProperty('PLAIN');
    expect(written).not.toHaveProperty('PLAIN');
    expect(ssh.values).toEqual({});
    expect(ssh.names).toEqual(expect.arrayContaining(['PLAIN', 'SESSION']));
    expect(lent).toMatchObject({ PLAIN: 'hidden', SESSION: 'too' });
  });

  it('knows of a secret whose value is elsewhere by its name only', async () => {
    const { session, written, ssh } = environmentOf(await configOf(TOML), {}, ['PLAIN', 'OTHER']);
    expect(session.plain).not.toHaveProperty('PLAIN');
    expect(written).not.toHaveProperty('PLAIN');
    expect(ssh.names).toEqual(expect.arrayContaining(['PLAIN', 'OTHER']));
  });
});

describe('secretValues', () => {
  it('has keys, the proxy’s password as it is written and as it is meant, and what looks like a secret', async () => {
    const toml = `[truenas]\napi_key = "1-abcdef"
[provision]\nproxy = "http://me:p%40ss@proxy:3128"
[env]
WRITTEN_KEY = "not one: it is in the sandbox"
API_KEY = { value = "k3y", session_only = true }
MODE = { value = "debug", session_only = true }
THING = { value = "f00ba12f00ba12f00ba12", session_only = true }
GITHUB_TOKEN = { forward = true }`;
    const values = secretValues(await configOf(toml, { GITHUB_TOKEN: 'ghp_1' }));
    expect(values).toEqual(['k3y', 'f00ba12f00ba12f00ba12', 'ghp_1', '1-abcdef', 'p%40ss', 'p@ss']);
  });
});
