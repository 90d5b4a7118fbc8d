import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig, readAuthorities, trueNasServer } from '../../../src/config';

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'pixels-nas-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

async function serverFor(toml: string) {
  const file = path.join(directory, 'config.toml');
  fs.writeFileSync(file, `backend = "truenas"\n[truenas]\n${toml}`, { mode: 0o600 });
  return trueNasServer((await loadConfig({ env: { HOME: directory }, file })).config);
}

describe('trueNasServer', () => {
  it('is the host with its user, trusted as the machine’s authorities say, and without the key', async () => {
    const server = await serverFor('host = "nas.lan:8443"\napi_key = "7-secret"');
    expect(server).toEqual({ kind: 'truenas', host: 'nas.lan:8443', username: 'root', trust: { kind: 'system' } });
  });

  it.each([
    [
      'fingerprint = "AB:CD"\nca_cert = "/ca.pem"\ninsecure_skip_verify = true',
      { kind: 'pin', fingerprint256: 'AB:CD' },
    ],
    [
      'ca_cert = "~/ca.pem"\ninsecure_skip_verify = true',
      { kind: 'ca', file: expect.stringMatching(/\/ca\.pem$/) as string },
    ],
    ['insecure_skip_verify = true', { kind: 'insecure' }],
  ])('trusts the most particular of what is set: %s', async (toml, trust) => {
    expect((await serverFor(`host = "nas"\nport = 444\n${toml}`)).trust).toEqual(trust);
  });

  it('needs a host, and says how to give one', async () => {
    await expect(serverFor('username = "me"')).rejects.toMatchObject({
      kind: 'config',
      hint: expect.stringContaining('Connect to TrueNAS') as string,
    });
  });
});

describe('readAuthorities', () => {
  it('gives the certificates, and names a file that has none', async () => {
    const good = path.join(directory, 'ca.pem');
    const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    fs.writeFileSync(good, pem);
    expect(await readAuthorities(good)).toBe(pem);
    const bad = path.join(directory, 'none.pem');
    await expect(readAuthorities(bad)).rejects.toThrow(/none\.pem, cannot be read \(ENOENT\)/);
    fs.writeFileSync(bad, 'hello');
    await expect(readAuthorities(bad)).rejects.toThrow(/none\.pem, holds no PEM certificate/);
  });
});
