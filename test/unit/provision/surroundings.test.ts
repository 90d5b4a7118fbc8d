import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { surroundingsOrder, type Surroundings } from '../../../src/provision/surroundings';
import { makeAuthority, type TestAuthority } from '../../support/authority';
import { errorOf } from '../ssh/sandboxHome';

let folder: string;
let authority: TestAuthority;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pixels-surroundings-'));
  authority = makeAuthority();
});
afterAll(() => {
  fs.rmSync(folder, { recursive: true });
  authority.remove();
});

function file(name: string, text: string): string {
  const place = path.join(folder, name);
  fs.writeFileSync(place, text);
  return place;
}

const order = (some: Partial<Surroundings>) =>
  surroundingsOrder({
    environment: {},
    acceptedNames: [],
    authorityFiles: [],
    dns: [],
    proxy: undefined,
    noProxy: undefined,
    ...some,
  });

/** The lines with that letter, without it. */
async function lines(letter: string, some: Partial<Surroundings>): Promise<string[]> {
  const { input } = (await order(some))!;
  expect(input.endsWith('\n.\n')).toBe(true);
  const all = input.split('\n').filter((line) => line.startsWith(`${letter} `));
  return all.map((line) => line.slice(2));
}

describe('surroundingsOrder', () => {
  it('is none when nothing is configured', async () => {
    expect(await order({})).toBeUndefined();
    expect(await order({ noProxy: 'a.example' })).toBeUndefined();
  });

  it('has the variables', async () => {
    expect(await lines('e', { environment: { A: '1', B: "it's" } })).toEqual(["A='1'", `B="it's"`]);
  });

  it('has the names that a session may bring', async () => {
    expect(await lines('s', { acceptedNames: ['A', 'B'] })).toEqual(['AcceptEnv A B']);
  });

  it('has the name servers, asked before those of the network', async () => {
    expect(await lines('r', { dns: ['10.0.0.1', 'fd00::1'] })).toEqual([
      '[Resolve]',
      'DNS=10.0.0.1 fd00::1',
      'Domains=~.',
    ]);
    const error = await errorOf(order({ dns: ['ns.example'] }));
    expect(error).toMatchObject({ kind: 'config', message: 'defaults.dns must hold IP addresses, not "ns.example".' });
  });

  it('has the proxy for everybody: in both cases, never for the sandbox itself, and for apt', async () => {
    const proxy = { proxy: 'http://me:pw@proxy.example:3128', noProxy: 'mirror.example, .corp.example,10.0.0.7' };
    const none = 'mirror.example,.corp.example,10.0.0.7,localhost,127.0.0.1,::1';
    expect(await lines('e', proxy)).toEqual([
      `http_proxy='${proxy.proxy}'`,
      `https_proxy='${proxy.proxy}'`,
      `no_proxy='${none}'`,
      `HTTP_PROXY='${proxy.proxy}'`,
      `HTTPS_PROXY='${proxy.proxy}'`,
      `NO_PROXY='${none}'`,
      "NODE_USE_ENV_PROXY='1'",
    ]);
    const apt = await lines('a', proxy);
    expect(apt.slice(0, 2)).toEqual([
      `Acquire::http::Proxy "${proxy.proxy}";`,
      `Acquire::https::Proxy "${proxy.proxy}";`,
    ]);
    expect(apt).toContain('Acquire::https::Proxy::mirror.example "DIRECT";');
    expect(apt).toContain('Acquire::http::Proxy::10.0.0.7 "DIRECT";');
    expect(apt.join()).not.toContain('.corp');
    expect((await order(proxy))!.environment).toEqual({ no_proxy: none }); // Incus shows it: no password may be in it
  });

  it('has every certificate once, under a name that stays, and nothing else of the files', async () => {
    const other = makeAuthority('Another');
    const key = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n';
    const both = file('both.pem', `# bundle\r\n${authority.pem.replaceAll('\n', '\r\n')}${key}${other.pem}`);
    const one = file('one.pem', authority.pem);
    const { input } = (await order({ authorityFiles: [both, one] }))!;
    const names = input.match(/^c .*$/gm)!;
    expect(names).toHaveLength(2);
    expect(names[0]).toMatch(/^c pixels-[0-9a-f]{16}$/);
    const written = input.match(/^l .*$/gm)!.map((line) => `${line.slice(2)}\n`);
    expect(written.join('')).toBe(authority.pem + other.pem);
    expect(await lines('e', { authorityFiles: [one] })).toEqual(
      expect.arrayContaining([
        "NODE_EXTRA_CA_CERTS='/etc/pixels/authorities.pem'",
        "SSL_CERT_FILE='/etc/ssl/certs/ca-certificates.crt'",
        "REQUESTS_CA_BUNDLE='/etc/ssl/certs/ca-certificates.crt'",
      ]),
    );
    other.remove();
  });

  it('lets a person’s own variable win over one that follows', async () => {
    const some = { proxy: 'http://p:1', environment: { http_proxy: 'http://mine:2' } };
    expect(await lines('e', some)).toContain("http_proxy='http://mine:2'");
    expect((await lines('e', some)).filter((line) => line.startsWith('http_proxy='))).toHaveLength(1);
  });

  it.each([
    ['nothing', '', 'holds no whole PEM certificate'],
    ['half a certificate', '-----BEGIN CERTIFICATE-----\nMIIB', 'holds no whole PEM certificate'],
    ['garbage', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', 'a certificate that cannot be read'],
    ['a key only', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', 'holds no whole PEM certificate'],
  ])('refuses a file with %s, and names it', async (_, text, problem) => {
    const bad = file('bad.pem', text);
    const error = await errorOf(order({ authorityFiles: [bad] }));
    expect(error.kind).toBe('config');
    expect(error.message).toContain(`The file for provision.ca_certificates, ${bad},`);
    expect(error.message).toContain(problem);
  });

  it('refuses a good certificate followed by half of one', async () => {
    const bad = file('half.pem', `${authority.pem}-----BEGIN CERTIFICATE-----\nMIIB\n`);
    expect((await errorOf(order({ authorityFiles: [bad] }))).message).toContain(bad);
  });

  it('refuses a file that does not exist, or cannot be read', async () => {
    const gone = path.join(folder, 'gone.pem');
    expect((await errorOf(order({ authorityFiles: [gone] }))).message).toContain(`${gone}, does not exist.`);
    expect((await errorOf(order({ authorityFiles: [folder] }))).message).toContain(
      `${folder}, cannot be read (EISDIR).`,
    );
  });
});
