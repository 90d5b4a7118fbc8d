import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Check } from '../../../src/sandbox/check';
import { SshIntegration } from '../../../src/ssh';
import { entry, makeHome, snapshot } from './sandboxHome';

const TARGET = { kind: 'unix', socket: '/s' };

async function examined(ssh: SshIntegration): Promise<Record<string, Check>> {
  return Object.fromEntries((await ssh.examine()).map((found) => [found.title, found]));
}

describe('examining SSH', () => {
  it('finds a fresh home in order but for the Include, and makes nothing in it', async () => {
    const { home, ssh } = makeHome();
    const before = snapshot(home);
    const {
      'OpenSSH client': client,
      'SSH files': files,
      'SSH key': key,
      'SSH configuration': include,
    } = await examined(ssh);
    expect(client).toMatchObject({ verdict: 'ok', sentence: expect.stringMatching(/^OpenSSH \d+\.\d/) as unknown });
    expect(files).toMatchObject({ verdict: 'ok', sentence: expect.stringContaining('nothing') as unknown });
    expect(key).toMatchObject({ verdict: 'ok', sentence: expect.stringContaining('none yet') as unknown });
    expect(include).toMatchObject({ verdict: 'warning', advice: expect.stringContaining('--install') as unknown });
    expect(snapshot(home)).toEqual(before);
  });

  it('finds all in order after it was set up', async () => {
    const { home, ssh } = makeHome();
    await ssh.ensureKeyPair();
    await ssh.sync([entry('web')], TARGET);
    await ssh.applyInclude(await ssh.planInclude());
    const before = snapshot(home);
    const checks = await ssh.examine();
    expect(checks.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
    expect(checks.map(({ sentence }) => sentence).join(' ')).toContain(ssh.paths.privateKey);
    expect(snapshot(home)).toEqual(before);
  });

  it('names the files that are missing, and what OpenSSH has against the others', async () => {
    const { ssh } = makeHome();
    await ssh.sync([entry('web')], TARGET);
    fs.rmSync(path.join(ssh.paths.tunnelProgram, 'tunnel.js'));
    expect((await examined(ssh))['SSH files']).toMatchObject({
      verdict: 'warning',
      sentence: expect.stringContaining('no tunnel.js') as unknown,
    });
    await ssh.sync([entry('web')], TARGET);
    fs.appendFileSync(ssh.paths.config, 'NoSuchKeyword yes\n');
    expect((await examined(ssh))['SSH files']).toMatchObject({
      verdict: 'failed',
      sentence: expect.stringContaining('nosuchkeyword') as unknown,
    });
  });

  it('says why a key cannot be used: it is not there, or others can read it', async () => {
    const { home } = makeHome();
    const file = path.join(home, 'key');
    const ssh = new SshIntegration({ home, build: '', key: file });
    expect((await examined(ssh))['SSH key']).toMatchObject({
      verdict: 'failed',
      sentence: `The SSH key ${file} does not exist.`,
    });
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
    fs.chmodSync(file, 0o644);
    expect((await examined(ssh))['SSH key']).toMatchObject({ verdict: 'failed', advice: `Run "chmod 600 ${file}".` });
    fs.chmodSync(file, 0o600);
    expect((await examined(ssh))['SSH key']).toMatchObject({ verdict: 'ok' });
  });

  it('says that a configuration cannot be read', async () => {
    const { home, ssh, userConfig } = makeHome();
    fs.mkdirSync(path.dirname(userConfig));
    fs.mkdirSync(userConfig);
    expect((await examined(ssh))['SSH configuration']).toMatchObject({
      verdict: 'failed',
      sentence: expect.stringContaining(path.relative(home, userConfig)) as unknown,
    });
  });
});
