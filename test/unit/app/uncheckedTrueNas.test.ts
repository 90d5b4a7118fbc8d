import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { uncheckedTrueNas, uncheckedWarning } from '../../../src/app/uncheckedTrueNas';
import { main } from '../../../src/cli/main';
import { loadConfig, trueNasServer, type ConfigOverrides } from '../../../src/config';
import { fakeProcess } from '../cli/fakeProcess';
import { startNas } from '../truenas/client/world';
import { API_KEY } from '../truenas/client/scriptedNas';

let directory: string;
let file: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'pixels-unchecked-'));
  file = path.join(directory, 'config.toml');
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

function write(lines: string): void {
  fs.writeFileSync(file, `backend = "truenas"\n[truenas]\n${lines}\n`, { mode: 0o600 });
}

async function configFor(lines: string, overrides: ConfigOverrides = {}) {
  write(lines);
  return (await loadConfig({ env: { HOME: directory }, file, overrides })).config;
}

describe('a TrueNAS that nobody checks', () => {
  it('is one with insecure_skip_verify and nothing that wins over it', async () => {
    const insecure = 'host = "nas:8443"\ninsecure_skip_verify = true';
    expect(uncheckedTrueNas(await configFor(insecure))).toEqual({ host: 'nas', port: 8443 });
    expect(uncheckedTrueNas(await configFor(`${insecure}\nport = 444`))).toEqual({ host: 'nas', port: 444 });
    expect(uncheckedTrueNas(await configFor(`${insecure}\nca_cert = "/ca.pem"`))).toBeUndefined();
    expect(uncheckedTrueNas(await configFor('host = "nas"'))).toBeUndefined();
    expect(uncheckedTrueNas(await configFor(insecure, { backend: 'incus' }))).toBeUndefined();
  });

  it('is none any more with the pin that the editor keeps among its settings', async () => {
    const overrides = { truenas: { fingerprint: 'AB:CD' } };
    const config = await configFor('host = "nas"\ninsecure_skip_verify = true', overrides);
    expect(uncheckedTrueNas(config)).toBeUndefined();
    expect(trueNasServer(config).trust).toEqual({ kind: 'pin', fingerprint256: 'AB:CD' });
  });

  it('is warned of in a terminal with the line that pins it, until that is in the file', async () => {
    const nas = await startNas();
    const lines = `host = "127.0.0.1:${nas.port}"\napi_key = "${API_KEY}"\ninsecure_skip_verify = true`;
    write(lines);
    const before = await pixels('list', '--config', file);
    const pin = `fingerprint = "${nas.certificate.fingerprint256}"`;
    expect(before.split('\n').slice(0, 3)).toEqual([
      expect.stringMatching(/^pixels: Nobody checks .*127\.0\.0\.1:\d+ .*insecure_skip_verify.*API key\.$/) as string,
      expect.stringContaining(`under [truenas] in ${file}`) as string,
      pin,
    ]);
    expect(before).not.toContain(API_KEY);
    write(`${lines}\n${pin}`);
    expect(await pixels('list', '--config', file)).not.toContain('Nobody checks');
  });

  it('is warned of without a fingerprint when it is not there', async () => {
    const nas = await startNas();
    await nas.stop();
    const warning = await uncheckedWarning({ host: '127.0.0.1', port: nas.port }, file, new AbortController().signal);
    expect(warning).toEqual([expect.stringContaining('Nobody checks') as string]);
  });
});

async function pixels(...args: string[]): Promise<string> {
  const fake = fakeProcess();
  await main(args, { process: fake, dist: directory });
  return fake.output.stderr;
}
