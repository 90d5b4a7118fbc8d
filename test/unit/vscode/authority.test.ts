import { describe, expect, it } from 'vitest';
import { sandboxOfAuthority } from '../../../src/vscode/remote/authority';

describe('the authority of a remote window', () => {
  const hex = (host: string) => `ssh-remote+${Buffer.from(JSON.stringify({ hostName: host })).toString('hex')}`;

  it.each([
    ['ssh-remote+web.pixels', 'web'],
    ['ssh-remote+pixel@web.pixels', 'web'],
    [hex('my-app-2.pixels'), 'my-app-2'],
  ])('%s is the sandbox %s', (authority, name) => {
    expect(sandboxOfAuthority(authority)).toBe(name);
  });

  it.each([
    undefined,
    '',
    '127.0.0.1:8080',
    'wsl+Debian',
    'dev-container+7b22',
    'ssh-remote+example.org',
    'ssh-remote+pixels',
    'ssh-remote+.pixels',
    'ssh-remote+web.pixels.example.org',
    'ssh-remote+We_b.pixels',
    hex('example.org'),
    'ssh-remote+7b22',
    'ssh-remote+7bzz.pixels ',
  ])('%s is none of ours', (authority) => {
    expect(sandboxOfAuthority(authority)).toBeUndefined();
  });
});
