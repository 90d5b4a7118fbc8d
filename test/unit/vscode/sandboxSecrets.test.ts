import { afterEach, describe, expect, it, vi } from 'vitest';
import { lendToSsh } from '../../../src/vscode/remote/lendToSsh';
import { keepSandboxSecret, sandboxSecrets } from '../../../src/vscode/sandboxSecrets';

/** As the editor's SecretStorage: texts by their keys. */
function storage(entries = new Map<string, string>()) {
  return {
    entries,
    get: (key: string) => Promise.resolve(entries.get(key)),
    store: (key: string, value: string) => Promise.resolve(void entries.set(key, value)),
    delete: (key: string) => Promise.resolve(void entries.delete(key)),
  } as never as Parameters<typeof sandboxSecrets>[0] & { entries: Map<string, string> };
}

describe('the secrets for sandboxes', () => {
  it('are kept, replaced and forgotten by name', async () => {
    const kept = storage();
    expect(await sandboxSecrets(kept)).toEqual({});
    await keepSandboxSecret(kept, 'A_KEY', 'one');
    await keepSandboxSecret(kept, 'B_KEY', 'two "quoted"');
    await keepSandboxSecret(kept, 'A_KEY', 'three');
    expect(await sandboxSecrets(kept)).toEqual({ A_KEY: 'three', B_KEY: 'two "quoted"' });
    await keepSandboxSecret(kept, 'A_KEY', undefined);
    expect(await sandboxSecrets(kept)).toEqual({ B_KEY: 'two "quoted"' });
    await keepSandboxSecret(kept, 'B_KEY', undefined);
    expect(kept.entries.size).toBe(0);
  });

  it.each(['', 'no JSON', 'null', '[]', '1', '{"A":1}'])('are none where %j was kept', async (text) => {
    const kept = storage();
    await keepSandboxSecret(kept, 'A', 'x');
    kept.entries.set([...kept.entries.keys()][0]!, text);
    expect(await sandboxSecrets(kept)).toEqual({});
  });
});

describe('lendToSsh', () => {
  afterEach(() => {
    lendToSsh({});
    vi.unstubAllEnvs();
  });

  it('puts values into the environment, and puts back what was there when they are taken away', () => {
    vi.stubEnv('LENT_OWN', 'own');
    lendToSsh({ LENT_OWN: 'secret', LENT_NEW: 'new' });
    expect([process.env['LENT_OWN'], process.env['LENT_NEW']]).toEqual(['secret', 'new']);
    lendToSsh({ LENT_OWN: 'other' });
    expect([process.env['LENT_OWN'], process.env['LENT_NEW']]).toEqual(['other', undefined]);
    lendToSsh({});
    expect(process.env['LENT_OWN']).toBe('own');
    expect('LENT_NEW' in process.env).toBe(false);
  });
});
