import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderConfig } from '../../../src/ssh/hostEntries';
import { renderKnownHosts } from '../../../src/ssh/knownHosts';
import { sshPaths } from '../../../src/ssh/paths';
import { canStandInConfig } from '../../../src/ssh/sentEnvironment';
import { entry, KEY_A, KEY_B, makeHome, resolvedBySsh } from './sandboxHome';

function write(home: string, ...args: Parameters<typeof renderConfig>): string {
  const file = path.join(home, 'rendered');
  fs.writeFileSync(file, renderConfig(...args), { mode: 0o600 });
  return file;
}

describe('renderConfig', () => {
  it('gives every sandbox an explicit host, sorted, which OpenSSH reads as it is meant', () => {
    const { home, ssh } = makeHome();
    const direct = entry('api', { transport: 'direct', address: '10.0.0.7', user: 'root' });
    const file = write(home, [entry('web'), direct], ssh.paths, ssh.paths.privateKey);
    const hosts = fs.readFileSync(file, 'utf8').match(/^Host .*$/gm);
    expect(hosts).toEqual(['Host api.pixels', 'Host web.pixels', 'Host *.pixels']);

    const web = resolvedBySsh(file, 'web.pixels');
    expect(web).toMatchObject({
      user: 'pixel',
      hostkeyalias: 'web.pixels',
      proxycommand: `${ssh.paths.launcher} web`,
      userknownhostsfile: ssh.paths.knownHosts,
      globalknownhostsfile: 'none',
      stricthostkeychecking: 'true',
      identityfile: ssh.paths.privateKey,
      identitiesonly: 'yes',
      forwardagent: 'no',
      updatehostkeys: 'false',
      preferredauthentications: 'publickey',
      ciphers: 'aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,aes256-ctr',
    });
    expect(resolvedBySsh(file, 'api.pixels')).toMatchObject({ user: 'root', hostname: '10.0.0.7' });
  });

  it('connects a direct host without asking the launcher', () => {
    const { home, ssh } = makeHome();
    const direct = entry('api', { transport: 'direct', address: 'fd00::7' });
    const file = write(home, [direct], ssh.paths, ssh.paths.privateKey);
    const api = resolvedBySsh(file, 'api.pixels');
    expect(api['hostname']).toBe('fd00::7');
    expect(api['proxycommand'] ?? 'none').toBe('none');
  });

  it('gives a sentence instead of a look-up for a host without an address and for one that is not listed', () => {
    const { home, ssh } = makeHome();
    const file = write(home, [entry('api', { transport: 'direct' })], ssh.paths, ssh.paths.privateKey);
    expect(resolvedBySsh(file, 'api.pixels')['proxycommand']).toBe(`${ssh.paths.launcher} --no-address api`);
    expect(resolvedBySsh(file, 'new.pixels')['proxycommand']).toMatch(/tunnel --unlisted (%n|new\.pixels)$/);
  });

  it('wins over a person’s own "Host *" that comes after it', () => {
    const { home, ssh } = makeHome();
    const own = write(home, [entry('web')], ssh.paths, ssh.paths.privateKey);
    const user = path.join(home, 'user');
    const star =
      'Host *\n  User me\n  ForwardAgent yes\n  ProxyJump bastion\n  StrictHostKeyChecking no\n  ConnectTimeout 1\n';
    fs.writeFileSync(user, `Include ${own}\n${star}`);
    expect(resolvedBySsh(user, 'web.pixels')).toMatchObject({
      user: 'pixel',
      forwardagent: 'no',
      stricthostkeychecking: 'true',
      connecttimeout: '60',
      proxycommand: `${ssh.paths.launcher} web`,
    });
  });

  it.each(['a\nProxyCommand evil', 'a b', '', '-x', 'a"', '%u'])(
    'leaves out a sandbox with the user name %j',
    (user) => {
      const { ssh } = makeHome();
      const text = renderConfig([entry('web', { user })], ssh.paths, ssh.paths.privateKey);
      expect(text).not.toContain('web.pixels');
      expect(text).not.toContain('evil');
    },
  );

  it('takes nothing but an IP address for an address', () => {
    const { ssh } = makeHome();
    const evil = entry('web', { transport: 'direct', address: '10.0.0.1\nProxyCommand evil' });
    const text = renderConfig([evil], ssh.paths, ssh.paths.privateKey);
    expect(text).not.toContain('evil');
    expect(text).toContain('--no-address web');
  });
});

describe('what sessions bring along', () => {
  const configFor = (names: readonly string[], values: Record<string, string> = {}) => {
    const { home, ssh } = makeHome();
    return write(home, [entry('web')], ssh.paths, ssh.paths.privateKey, { names, values });
  };
  const resolved = (file: string, keyword: string) =>
    execFileSync('ssh', ['-G', '-F', file, 'web.pixels'], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.startsWith(`${keyword} `))
      .map((line) => line.slice(keyword.length + 1));

  it('is exactly these names, and these values', () => {
    const file = configFor(['TOKEN', 'A_KEY', 'TOKEN'], { MODE: 'two  words', PLACE: "it's {here}; ü *" });
    expect(resolved(file, 'sendenv')).toEqual(['A_KEY', 'TOKEN']);
    expect(resolved(file, 'setenv')).toEqual(['MODE=two  words', "PLACE=it's {here}; ü *"]);
  });

  it('is nothing without any', () => {
    const file = configFor([]);
    expect(fs.readFileSync(file, 'utf8')).not.toMatch(/SendEnv|SetEnv/);
  });

  it('is no pattern, no other line, and nothing that decides what a login is', () => {
    const file = configFor(['*', 'LC_*', 'A\nProxyCommand evil', 'PATH', 'LD_PRELOAD', 'OK'], {
      'B" ProxyCommand': 'evil',
      C: 'x\nProxyCommand evil',
      D: 'x" E="y',
      BASH_ENV: '/evil',
    });
    expect(resolved(file, 'sendenv')).toEqual(['OK']);
    expect(resolved(file, 'setenv')).toEqual([]);
    expect(fs.readFileSync(file, 'utf8')).not.toContain('evil');
  });

  it.each(['50%', '$HOME', '${HOME}', 'a\\b', 'say "hi"', 'tab\t'])(
    'does not write %j, which OpenSSHs of different age read differently',
    (value) => {
      expect(canStandInConfig(value)).toBe(false);
      expect(resolved(configFor([], { A: value }), 'setenv')).toEqual([]);
    },
  );
});

describe('a home directory with odd characters', () => {
  it.each(['plain', 'with space', "quo'te", 'dollar$&$1', 'per%cent', 'brack[et]s', 'stär*?', 'tab\\back'])(
    '%s: files and launcher are found by OpenSSH and the shell',
    (odd) => {
      const { home } = makeHome(`pixels ${odd} `);
      const paths = sshPaths(home);
      fs.mkdirSync(paths.directory, { recursive: true });
      const launcher = '#!/bin/sh\necho "launched with $*" >&2\nexit 1\n';
      fs.writeFileSync(paths.launcher, launcher, { mode: 0o700 });
      const file = write(home, [entry('web')], paths, paths.privateKey);
      const web = resolvedBySsh(file, 'web.pixels');
      // -G shows some values with %% still doubled and others not.
      expect(web['identityfile']?.replaceAll('%%', '%')).toBe(paths.privateKey);
      let said = '';
      try {
        execFileSync('ssh', ['-F', file, 'web.pixels', 'true'], { stdio: 'pipe', encoding: 'utf8' });
      } catch (error) {
        said = (error as { stderr: string }).stderr;
      }
      expect(said).toContain('launched with web');
    },
  );
});

describe('renderKnownHosts', () => {
  it('has one line for each sandbox whose key is known, without the comment', () => {
    const entries = [
      entry('web', { hostKey: `${KEY_B} root@web\n` }),
      entry('api'),
      entry('new', { hostKey: undefined }),
    ];
    expect(renderKnownHosts(entries)).toBe(`api.pixels ${KEY_A}\nweb.pixels ${KEY_B}\n`);
  });

  it.each([
    `${KEY_A}\n* ${KEY_B}`,
    `@cert-authority * ${KEY_A}`,
    `* ${KEY_A}`,
    'ssh-ed25519',
    'ssh-ed25519 short',
    `${KEY_A}\r* ${KEY_B}`,
    '',
  ])('takes no line from inside a sandbox that is more than a key: %j', (hostKey) => {
    expect(renderKnownHosts([entry('web', { hostKey })])).toBe('');
  });
});
