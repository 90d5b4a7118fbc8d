import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../../src/sandbox/log';
import { connectTrueNas } from '../../../../src/truenas/session';
import { digestOf, parseTrueNasHost, placeOf, type TrueNasTarget } from '../../../../src/truenas/target';
import { API_KEY } from './scriptedNas';

const target: TrueNasTarget = { host: 'nas', port: 443, username: 'root', apiKey: API_KEY, trust: { kind: 'system' } };

describe('parseTrueNasHost', () => {
  it.each([
    ['nas', 'nas', 443],
    ['NAS.lan:8443', 'nas.lan', 8443],
    ['  192.168.1.50 ', '192.168.1.50', 443],
    ['192.168.1.50:444', '192.168.1.50', 444],
    ['fd00::1', 'fd00::1', 443],
    ['[fd00::1]', 'fd00::1', 443],
    ['[fd00::1]:8443', 'fd00::1', 8443],
    ['https://nas', 'nas', 443],
    ['https://nas:8443/ui/sessions/signin', 'nas', 8443],
    ['HTTPS://nas/', 'nas', 443],
    ['wss://nas/api/current', 'nas', 443],
  ])('reads %s', (text, host, port) => {
    expect(parseTrueNasHost(text)).toEqual({ host, port });
  });

  it.each(['http://nas', 'HTTP://nas:80', 'ws://nas/api/current', ' http:nas', 'http://root:secret@nas'])(
    'refuses %s, and says that a key would be lost',
    (text) => {
      expect(() => parseTrueNasHost(text)).toThrow(
        expect.objectContaining({
          kind: 'config',
          message: expect.stringContaining('revokes an API key for good') as string,
        }),
      );
    },
  );

  it.each([
    '',
    ' ',
    '://',
    'https://',
    'ftp://nas',
    'nas:x',
    'nas:99999',
    'a b',
    'https://root:hunter2@nas',
    'file:///x',
  ])('refuses %j without repeating it', (text) => {
    try {
      parseTrueNasHost(text);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ kind: 'config' });
      expect(String(error)).not.toContain('hunter2');
    }
  });
});

describe('connectTrueNas', () => {
  it.each([
    { host: 'http://nas' },
    { host: 'ws://nas' },
    { host: 'https://nas' },
    { host: 'nas:8443' },
    { host: '' },
    { port: 0 },
    { port: 70_000 },
    { port: 1.5 },
    { username: '' },
    { apiKey: '' },
    { apiKey: 'with space in it' },
    { apiKey: 'newline-at-the-end\n' },
    { trust: { kind: 'pin', fingerprint256: '' } },
    { trust: { kind: 'pin', fingerprint256: 'AB:CD' } },
  ] satisfies Partial<TrueNasTarget>[])('takes no target with %j', (change) => {
    expect(() => connectTrueNas({ ...target, ...change }, { log: silentLog })).toThrow(
      expect.objectContaining({ kind: 'config' }),
    );
  });

  it('does nothing before the first call', () => {
    connectTrueNas(target, { log: silentLog }).close();
  });
});

describe('digestOf', () => {
  it('reads a fingerprint as browsers and openssl write it', () => {
    const digits = 'ab'.repeat(32);
    const colons = 'AB:'.repeat(31) + 'AB';
    for (const text of [digits, colons, `SHA256:${colons}`, `sha-256 ${digits}`, `${colons}\n`]) {
      expect(digestOf(text)).toBe(digits);
    }
  });
});

describe('placeOf', () => {
  it('leaves out the usual port, and puts brackets where they belong', () => {
    expect(placeOf({ host: 'nas', port: 443 })).toBe('nas');
    expect(placeOf({ host: 'nas', port: 8443 })).toBe('nas:8443');
    expect(placeOf({ host: 'fe80::1%eth0', port: 8443 })).toBe('[fe80::1]:8443');
  });
});
