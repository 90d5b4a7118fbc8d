import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { diagnose, isHealthy, type Check } from '../../../src/app/doctor';
import { loadConfig } from '../../../src/config';
import { silentLog } from '../../../src/sandbox/log';

let home: string;
beforeAll(() => {
  home = mkdtempSync(path.join(tmpdir(), 'pixels-doctor-'));
});
afterAll(() => rmSync(home, { recursive: true }));

/** The checks for a configuration file with this content, on a machine without any server. */
async function checksFor(toml: string, more: Partial<Parameters<typeof diagnose>[0]> = {}): Promise<readonly Check[]> {
  const file = path.join(home, 'config.toml');
  writeFileSync(file, toml, { mode: 0o600 });
  const configuration = () => loadConfig({ file, env: { HOME: home } });
  return diagnose({ configuration, log: silentLog, dist: home, home, ...more });
}

const titles = (checks: readonly Check[]) => checks.map(({ title }) => title);
const of = (checks: readonly Check[], title: string) => checks.find((each) => each.title === title);
const nowhere = `[incus]\nsocket = "/nowhere/unix.socket"\n`;
const SSH = ['OpenSSH client', 'SSH files', 'SSH key', 'SSH configuration'];

describe('the doctor', () => {
  it('says that there is no server, and looks at the rest all the same', async () => {
    const checks = await checksFor(nowhere);
    expect(titles(checks)).toEqual(['Configuration', 'Server', 'Provisioning', ...SSH]);
    expect(of(checks, 'Server')).toMatchObject({
      verdict: 'failed',
      sentence: 'There is no Incus at /nowhere/unix.socket.',
      advice: expect.stringContaining('incus.socket') as unknown,
    });
    expect(isHealthy(checks)).toBe(false);
  });

  it('tells of each check when it has been made, and adds what only the face knows', async () => {
    const told: Check[] = [];
    const own: Check = { title: 'Editor', verdict: 'ok', sentence: 'It is there.' };
    const checks = await checksFor(nowhere, { onCheck: (check) => told.push(check), more: () => [own] });
    expect(told).toEqual(checks);
    expect(checks.at(-1)).toBe(own);
  });

  it('warns of what is odd in the configuration, and stops at one that cannot be used', async () => {
    const odd = await checksFor(`${nowhere}colour = "red"\n`);
    expect(odd.slice(0, 2)).toMatchObject([
      { title: 'Configuration', verdict: 'ok' },
      { title: 'Configuration', verdict: 'warning', sentence: expect.stringContaining('incus.colour') as unknown },
    ]);
    const broken = await checksFor('[defaults]\ncpu = "many"\n');
    expect(broken).toMatchObject([
      { title: 'Configuration', verdict: 'failed', sentence: expect.stringContaining('config.toml:2') as unknown },
    ]);
  });

  it('says when there is no configuration file, and that none is needed', async () => {
    const file = path.join(home, 'none.toml');
    const configuration = () => loadConfig({ file, env: { HOME: home }, overrides: { incus: { socket: '/nowhere' } } });
    const [first] = await checksFor('', { configuration });
    expect(first).toMatchObject({ verdict: 'ok', sentence: expect.stringContaining(`There is no ${file}`) as unknown });
  });

  it.each([
    ['fingerprint = "AB"', 'ok', 'fingerprint AB'],
    ['ca_cert = "/etc/nas.pem"', 'ok', '/etc/nas.pem'],
    ['', 'ok', 'authority that this machine trusts'],
    ['insecure_skip_verify = true', 'warning', 'Any certificate'],
  ])('tells which certificate of a TrueNAS is accepted: %s', async (line, verdict, words) => {
    // Nothing listens at port 9, and without a key nothing is asked there.
    const checks = await checksFor(`backend = "truenas"\n[truenas]\nhost = "127.0.0.1:9"\n${line}\n`);
    expect(titles(checks).slice(0, 3)).toEqual(['Configuration', 'Certificate', 'Server']);
    expect(of(checks, 'Certificate')).toMatchObject({ verdict, sentence: expect.stringContaining(words) as unknown });
    expect(of(checks, 'Server')).toMatchObject({
      verdict: 'failed',
      sentence: expect.stringContaining('no API key') as unknown,
    });
  });

  it('takes the API key from the face when the configuration has none, and never shows it', async () => {
    const key = `1-${'x'.repeat(64)}`;
    const asked: (string | undefined)[] = [];
    const apiKey = (config: { truenas: { host?: string | undefined } }) => {
      asked.push(config.truenas.host);
      return Promise.resolve(key);
    };
    const checks = await checksFor(`backend = "truenas"\n[truenas]\nhost = "127.0.0.1:9"\n`, { apiKey });
    expect(asked).toEqual(['127.0.0.1:9']);
    expect(of(checks, 'Server')?.sentence).toBe('Nothing listens at 127.0.0.1:9.');
    expect(JSON.stringify(checks)).not.toContain(key);
  });

  it('tells which certificate of a remote Incus is accepted', async () => {
    const remote = `[incus]\nremote = "https://127.0.0.1:9"\n`;
    expect(of(await checksFor(remote), 'Certificate')?.sentence).toContain('authority');
    expect(of(await checksFor(`${remote}server_cert = "/x.crt"\n`), 'Certificate')?.sentence).toContain('/x.crt');
  });

  it.each([
    ['enabled = false', 'exactly what their image is'],
    ['devtools = false', 'and no recipe'],
    ['', 'the recipe "agent"'],
  ])('tells what new sandboxes get: %s', async (line, words) => {
    const found = of(await checksFor(`${nowhere}[provision]\n${line}\n`), 'Provisioning');
    expect(found).toMatchObject({ verdict: 'ok', sentence: expect.stringContaining(words) as unknown });
  });

  it.each([
    ['recipe = "agnet"', 'agnet'],
    ['ca_certificates = ["/nowhere/company.pem"]', '/nowhere/company.pem'],
  ])('finds that what they need on this machine is not there: %s', async (line, words) => {
    const found = of(await checksFor(`${nowhere}[provision]\n${line}\n`), 'Provisioning');
    expect(found).toMatchObject({ verdict: 'failed', sentence: expect.stringContaining(words) as unknown });
  });

  it('makes no file', async () => {
    await checksFor(nowhere);
    expect(readdirSync(home)).toEqual(['config.toml']);
  });

  it('ends when it is cancelled', async () => {
    await expect(checksFor(nowhere, { signal: AbortSignal.abort() })).rejects.toMatchObject({ kind: 'cancelled' });
  });
});
