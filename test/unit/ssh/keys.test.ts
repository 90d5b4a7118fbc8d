import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { SshIntegration } from '../../../src/ssh';
import { errorOf, makeHome } from './sandboxHome';

function keygen(file: string, passphrase = ''): string {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-C', 'mine', '-f', file]);
  return file;
}

function withKey(key: string): SshIntegration {
  const { home } = makeHome();
  return new SshIntegration({ home, key, build: 'unused' });
}

describe('our own key pair', () => {
  it('is made once, private, in a private directory', async () => {
    const { ssh } = makeHome();
    const pair = await ssh.ensureKeyPair();
    expect(pair.privateKeyPath).toBe(ssh.paths.privateKey);
    expect(pair.publicKey).toMatch(/^ssh-ed25519 \S+ pixels@\S+$/);
    expect(fs.statSync(ssh.paths.privateKey).mode & 0o777).toBe(0o600);
    expect(fs.statSync(ssh.paths.directory).mode & 0o777).toBe(0o700);
    expect(await ssh.ensureKeyPair()).toEqual(pair);
    expect(fs.readdirSync(ssh.paths.directory).sort()).toEqual(['id_ed25519', 'id_ed25519.pub']);
  });

  it('is the same for everybody who asks at the same time', async () => {
    const { home, ssh } = makeHome();
    const many = Array.from({ length: 6 }, () => new SshIntegration({ home, build: 'unused' }).ensureKeyPair());
    const keys = new Set((await Promise.all(many)).map(({ publicKey }) => publicKey.split(' ')[1]));
    expect(keys.size).toBe(1);
    const derived = execFileSync('ssh-keygen', ['-y', '-f', ssh.paths.privateKey], { encoding: 'utf8' });
    expect(derived.split(' ')[1]).toBe([...keys][0]);
  });

  it('is read from the private half when the public one is gone, and made private again', async () => {
    const { ssh } = makeHome();
    const { publicKey } = await ssh.ensureKeyPair();
    fs.rmSync(`${ssh.paths.privateKey}.pub`);
    fs.chmodSync(ssh.paths.privateKey, 0o644);
    expect((await ssh.ensureKeyPair()).publicKey.split(' ')[1]).toBe(publicKey.split(' ')[1]);
    expect(fs.statSync(ssh.paths.privateKey).mode & 0o777).toBe(0o600);
  });

  it('needs ssh-keygen, and says what to install', async () => {
    const { ssh } = makeHome();
    const path = process.env['PATH'];
    process.env['PATH'] = '/nowhere';
    try {
      expect(await errorOf(ssh.ensureKeyPair())).toMatchObject({
        kind: 'unsupported',
        hint: 'Install the OpenSSH client.',
      });
    } finally {
      process.env['PATH'] = path;
    }
  });
});

describe('a configured key', () => {
  it('is used where it is', async () => {
    const key = keygen(path.join(makeHome().home, 'mine'));
    const pair = await withKey(key).ensureKeyPair();
    expect(pair).toEqual({ privateKeyPath: key, publicKey: fs.readFileSync(`${key}.pub`, 'utf8').trim() });
  });

  it('may have a passphrase when its .pub file is there', async () => {
    const key = keygen(path.join(makeHome().home, 'mine'), 'secret words');
    expect((await withKey(key).ensureKeyPair()).publicKey).toMatch(/ mine$/);
    fs.rmSync(`${key}.pub`);
    expect(await errorOf(withKey(key).ensureKeyPair())).toMatchObject({
      kind: 'config',
      message: `The SSH key ${key} has a passphrase, and there is no .pub file.`,
    });
  });

  it('that is missing, readable by others, or no key at all is told apart', async () => {
    const { home } = makeHome();
    const missing = path.join(home, 'missing');
    expect((await errorOf(withKey(missing).ensureKeyPair())).message).toBe(`The SSH key ${missing} does not exist.`);
    const open = keygen(path.join(home, 'open'));
    fs.chmodSync(open, 0o644);
    expect((await errorOf(withKey(open).ensureKeyPair())).hint).toBe(`Run "chmod 600 ${open}".`);
    const noKey = path.join(home, 'no-key');
    fs.writeFileSync(noKey, 'hello', { mode: 0o600 });
    expect((await errorOf(withKey(noKey).ensureKeyPair())).message).toBe(`${noKey} is no SSH private key.`);
  });
});
