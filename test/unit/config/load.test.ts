import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configPath, loadConfig } from '../../../src/config';
import { SETTINGS } from '../../../src/config/schema';
import { PixelsError } from '../../../src/sandbox/errors';

let home: string;
let file: string;

beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'pixels-config-'));
  file = path.join(home, '.config', 'pixels', 'config.toml');
  fs.mkdirSync(path.dirname(file), { recursive: true });
});
afterEach(() => fs.rmSync(home, { recursive: true }));

function load(toml: string | undefined, env: Record<string, string> = {}, overrides = {}) {
  if (toml !== undefined) fs.writeFileSync(file, toml, { mode: 0o600 });
  return loadConfig({ env: { HOME: home, ...env }, overrides });
}

async function failure(
  toml: string | undefined,
  env: Record<string, string> = {},
  overrides = {},
): Promise<PixelsError> {
  const error: unknown = await load(toml, env, overrides).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(PixelsError);
  expect((error as PixelsError).kind).toBe('config');
  return error as PixelsError;
}

/** For every key: a value in the file, one in the environment, one as an override, and what they are read as. */
const SAMPLES: Record<string, [toml: string, env: string, override: unknown, fromFile: unknown, fromEnv: unknown]> = {
  backend: ['"truenas"', 'incus', 'truenas', 'truenas', 'incus'],
  'incus.socket': ['"/a"', '/b', '/c', '/a', '/b'],
  'incus.remote': ['"https://a"', 'b', 'c', 'https://a', 'b'],
  'incus.client_cert': ['"/a.crt"', '/b.crt', '/c.crt', '/a.crt', '/b.crt'],
  'incus.client_key': ['"/a.key"', '/b.key', '/c.key', '/a.key', '/b.key'],
  'incus.server_cert': ['"/a"', '/b', '/c', '/a', '/b'],
  'incus.project': ['"a"', 'b', 'c', 'a', 'b'],
  'incus.image_server': ['"https://a"', 'https://b', 'https://c', 'https://a', 'https://b'],
  'truenas.host': ['"a"', 'b', 'c', 'a', 'b'],
  'truenas.port': ['444', '445', 446, 444, 445],
  'truenas.username': ['"a"', 'b', 'c', 'a', 'b'],
  'truenas.api_key': ['"a"', 'b', 'c', 'a', 'b'],
  'truenas.insecure_skip_verify': ['true', 'yes', true, true, true],
  'truenas.fingerprint': ['"AA:BB"', 'BB:CC', 'CC:DD', 'AA:BB', 'BB:CC'],
  'truenas.ca_cert': ['"/a"', '/b', '/c', '/a', '/b'],
  'truenas.linked_clones': ['true', 'yes', true, true, true],
  'defaults.nic_type': ['"NAT"', 'MACVLAN', 'BRIDGED', 'NAT', 'MACVLAN'],
  'defaults.parent': ['"a"', 'b', 'c', 'a', 'b'],
  'defaults.image': ['"debian/13"', 'ubuntu/24.04', 'alpine/3', 'debian/13', 'ubuntu/24.04'],
  'defaults.cpu': ['"2"', '3', 4, 2, 3],
  'defaults.memory': ['512', '1024', 2048, 512, 1024],
  'defaults.pool': ['"a"', 'b', 'c', 'a', 'b'],
  'defaults.network': ['"a"', 'b', 'c', 'a', 'b'],
  'defaults.dns': ['["1.1.1.1"]', '9.9.9.9, 8.8.8.8', ['4.4.4.4'], ['1.1.1.1'], ['9.9.9.9', '8.8.8.8']],
  'ssh.user': ['"a"', 'b', 'c', 'a', 'b'],
  'ssh.key': ['"/a"', '/b', '/c', '/a', '/b'],
  'ssh.transport': ['"direct"', 'tunnel', 'auto', 'direct', 'tunnel'],
  'provision.enabled': ['false', '0', false, false, false],
  'provision.devtools': ['false', 'no', false, false, false],
  'provision.recipe': ['"dev"', 'agent', 'mine.toml', 'dev', 'agent'],
  'provision.editor_server': ['false', 'no', false, false, false],
  'provision.auto_build': ['false', 'no', false, false, false],
  'provision.npm_registry': ['"https://a"', 'https://b', 'https://c', 'https://a', 'https://b'],
  'provision.ca_certificates': ['["/a.pem"]', '/b.pem, /c.pem', ['/d.pem'], ['/a.pem'], ['/b.pem', '/c.pem']],
  'provision.proxy': ['"http://a:1"', 'https://b:2', 'http://c:3', 'http://a:1', 'https://b:2'],
  'provision.no_proxy': ['"a, b"', 'c,d', 'e', 'a, b', 'c,d'],
  'network.egress': ['"agent"', 'allowlist', 'unrestricted', 'agent', 'allowlist'],
  'network.enforcement': ['"guest"', 'gateway', 'auto', 'guest', 'gateway'],
  'network.allow': ['["a.org"]', 'b.org', ['c.org'], ['a.org'], ['b.org']],
};

function nest(where: readonly string[], value: unknown): object {
  return where.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as object;
}

function at(config: object, where: readonly string[]): unknown {
  return where.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], config);
}

describe('every key', () => {
  it('has a sample in this test', () => {
    expect(SETTINGS.map(({ key }) => key).sort()).toEqual(Object.keys(SAMPLES).sort());
  });

  for (const { key, path: where, envNames } of SETTINGS) {
    const [toml, env, override, fromFile, fromEnv] = SAMPLES[key]!;
    const line = key.includes('.') ? `[${key.split('.')[0]!}]\n${key.split('.')[1]!} = ${toml}` : `${key} = ${toml}`;

    it(`${key} is read from the file, then from ${envNames.join(' or ')}, then from an override`, async () => {
      const loaded = await load(line);
      expect(loaded.warnings).toEqual([]);
      expect(at(loaded.config, where)).toEqual(fromFile);
      for (const name of envNames) expect(at((await load(line, { [name]: env })).config, where)).toEqual(fromEnv);
      const all = await load(line, { [envNames[0]!]: env }, nest(where, override));
      expect(at(all.config, where)).toEqual(override);
    });
  }
});

describe('loadConfig', () => {
  it('gives the defaults when there is no file', async () => {
    const { config, warnings, file: read } = await load(undefined);
    expect(read).toBe(file);
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      backend: 'incus',
      defaults: { image: 'debian/12', cpu: undefined, memoryMiB: undefined },
      ssh: { user: 'pixel', transport: 'auto' },
      network: { egress: 'unrestricted', allow: [] },
      env: {},
      mcp: {},
    });
  });

  it('takes an empty text anywhere for nothing said', async () => {
    const { config } = await load('[defaults]\nimage = ""', { PIXELS_DEFAULTS_IMAGE: '' }, { defaults: { image: '' } });
    expect(config.defaults.image).toBe('debian/12');
  });

  it('freezes everything', async () => {
    const { config } = await load('[mcp]\na = { b = [1] }');
    expect(() => ((config.defaults as { image: string }).image = 'x')).toThrow(TypeError);
    expect(() => (config.mcp['a'] as { b: number[] }).b.push(2)).toThrow(TypeError);
  });

  it('expands ~ in paths and only there', async () => {
    const { config } = await load('[ssh]\nkey = "~/k"\nuser = "~u"', { PIXELS_INCUS_CLIENT_KEY: '~/c.key' });
    expect(config.ssh).toMatchObject({ key: path.join(home, 'k'), user: '~u' });
    expect(config.incus.clientKey).toBe(path.join(home, 'c.key'));
  });

  it('takes a relative path in the file from where the file is, and any other as it is', async () => {
    const toml = '[provision]\nca_certificates = ["a.pem", "~/b.pem", "/c.pem"]\n[truenas]\nca_cert = "../nas.pem"';
    const { config } = await load(toml);
    const folder = path.dirname(file);
    expect(config.provision.caCertificates).toEqual([path.join(folder, 'a.pem'), path.join(home, 'b.pem'), '/c.pem']);
    expect(config.truenas.caCert).toBe(path.join(path.dirname(folder), 'nas.pem'));
    const fromEnv = await load('', { PIXELS_PROVISION_CA_CERTIFICATES: 'a.pem,~/b.pem' });
    expect(fromEnv.config.provision.caCertificates).toEqual(['a.pem', path.join(home, 'b.pem')]);
  });

  it('keeps [mcp] as it is, without a word', async () => {
    const { config, warnings } = await load('[mcp]\nprefix = "x"\n[mcp.base.dev]\nparent = "debian/12"');
    expect(config.mcp).toEqual({ prefix: 'x', base: { dev: { parent: 'debian/12' } } });
    expect(warnings).toEqual([]);
  });

  it('finds the file below XDG_CONFIG_HOME when that is absolute', () => {
    expect(configPath({ HOME: '/h', XDG_CONFIG_HOME: '/x' })).toBe('/x/pixels/config.toml');
    expect(configPath({ HOME: '/h', XDG_CONFIG_HOME: 'x' })).toBe('/h/.config/pixels/config.toml');
  });
});

describe('the server', () => {
  it('takes INCUS_SOCKET only when nobody who knows Pixels says anything', async () => {
    expect((await load(undefined, { INCUS_SOCKET: '/weak' })).config.incus.socket).toBe('/weak');
    expect((await load('[incus]\nsocket = "/file"', { INCUS_SOCKET: '/weak' })).config.incus.socket).toBe('/file');
    expect((await load('[incus]\nremote = "nas"', { INCUS_SOCKET: '/weak' })).config.incus).toMatchObject({
      remote: 'nas',
      socket: undefined,
    });
  });

  it('is the socket when that was said with a higher rank than the remote', async () => {
    const { config } = await load('[incus]\nremote = "nas"', { PIXELS_INCUS_SOCKET: '/mine' });
    expect(config.incus).toMatchObject({ socket: '/mine', remote: undefined });
  });

  it('is the remote when one place names both', async () => {
    const { config } = await load('[incus]\nremote = "nas"\nsocket = "/s"');
    expect(config.incus).toMatchObject({ socket: undefined, remote: 'nas' });
  });
});

describe('[env]', () => {
  it('has literal, session-only and forwarded variables, with the person’s own expanded', async () => {
    const toml = `[env]
PLAIN = "a $WHO \${WHO}"
TABLE = { value = "b" }
SESSION = { value = "c", session_only = true }
TOKEN = { forward = true }
MISSING = { forward = true }`;
    expect((await load(toml, { WHO: 'me', TOKEN: 's3cret' })).config.env).toEqual({
      PLAIN: { value: 'a me me', sessionOnly: false, plain: false },
      TABLE: { value: 'b', sessionOnly: false, plain: true },
      SESSION: { value: 'c', sessionOnly: true, plain: true },
      TOKEN: { value: 's3cret', sessionOnly: true, plain: false },
      MISSING: { value: undefined, sessionOnly: true, plain: false },
    });
  });

  it.each([
    ['A = 1', ':2: env.A must be a text'],
    ['"A B" = "x"', ':2: env.A B is no name'],
    ['A = { forward = "s3cret" }', ':2: env.A must have true or false'],
    ['A = { valu = "s3cret" }', ':2: env.A has an unknown key, valu'],
    ['A = { session_only = true }', ':2: env.A must have a text'],
    ['PATH = { value = "s3cret", session_only = true }', ':2: env.PATH decides what a login is'],
    ['LD_PRELOAD = { forward = true }', ':2: env.LD_PRELOAD decides what a login is'],
    ['PIXELS_TRUENAS_API_KEY = { forward = true }', ':2: env.PIXELS_TRUENAS_API_KEY decides'],
  ])('refuses %s without telling values', async (line, expected) => {
    const { message } = await failure(`[env]\n${line}`);
    expect(message).toContain(expected);
    expect(message).not.toContain('s3cret');
  });
});

describe('what is odd', () => {
  it.each([
    [
      '[incus]\nsockett = "/x"',
      '~/.config/pixels/config.toml:2: unknown key incus.sockett; did you mean incus.socket?',
    ],
    ['[defalts]\nimage = "x"', '~/.config/pixels/config.toml:1: unknown key defalts; did you mean defaults?'],
    ['bakend = "incus"', '~/.config/pixels/config.toml:1: unknown key bakend; did you mean backend?'],
    ['[ssh]\nxyzzy = 1', '~/.config/pixels/config.toml:2: unknown key ssh.xyzzy'],
    [
      '[ssh]\nstrict_host_keys = true',
      '~/.config/pixels/config.toml:2: ssh.strict_host_keys has no effect: host keys are always checked.',
    ],
    [
      '[checkpoint]\ndataset_prefix = "x"',
      '~/.config/pixels/config.toml:2: checkpoint.dataset_prefix has no effect: the server knows where checkpoints are.',
    ],
  ])('%j is a warning', async (toml, warning) => {
    expect((await load(toml)).warnings).toEqual([warning]);
  });

  it('an API key that others can read is a warning without the key', async () => {
    fs.writeFileSync(file, '[truenas]\napi_key = "s3cret"', { mode: 0o644 });
    const { warnings } = await load(undefined);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('chmod 600');
    expect(warnings[0]).not.toContain('s3cret');
    fs.chmodSync(file, 0o600);
    expect((await load(undefined)).warnings).toEqual([]);
  });
});

describe('what is wrong', () => {
  it.each([
    [
      '# c\n[defaults]\n\nmemory = "lots"',
      '~/.config/pixels/config.toml:4: defaults.memory must be a whole number of MiB from 1 up, not "lots".',
    ],
    ['defaults.memory = true', '~/.config/pixels/config.toml:1: defaults.memory must be'],
    [
      'defaults = { cpu = 0 }',
      '~/.config/pixels/config.toml:1: defaults.cpu must be a whole number of CPUs from 1 up, not 0.',
    ],
    ['[ssh]\ntransport = "tcp"', ':2: ssh.transport must be one of "auto", "tunnel", "direct", not "tcp".'],
    ['[provision]\nproxy = "proxy:3128"', ':2: provision.proxy must be the address of a proxy'],
    ['[provision]\nca_certificates = "a.pem"', ':2: provision.ca_certificates must be a list of texts'],
    ['[network]\nallow = "a.org"', ':2: network.allow must be a list of texts, not "a.org".'],
    ['incus = 1', ':1: incus must be a table, [incus].'],
    ['env = 1', ':1: env must be a table, [env].'],
  ])('%j names file, line and key', async (toml, expected) => {
    expect((await failure(toml)).message).toContain(expected);
  });

  it('names a variable and a setting', async () => {
    expect((await failure(undefined, { PIXELS_DEFAULTS_MEMORY: '1.5' })).message).toBe(
      'PIXELS_DEFAULTS_MEMORY must be a whole number of MiB from 1 up, not "1.5".',
    );
    expect((await failure(undefined, { PIXELS_PROVISION_ENABLED: 'maybe' })).message).toBe(
      'PIXELS_PROVISION_ENABLED must be true or false, not "maybe".',
    );
    expect((await failure(undefined, {}, { ssh: { transport: 'x' } })).message).toContain('The setting ssh.transport');
  });

  it('is found in the file also when a variable says something else', async () => {
    expect((await failure('[ssh]\ntransport = 1', { PIXELS_SSH_TRANSPORT: 'auto' })).message).toContain(':2: ssh.');
  });

  it.each(['http://me:s3cret@p:1/"', 'http://me:s3cret@p:1\n', 'ftp://me:s3cret@p', "http://me:s3cret@p'"])(
    'never repeats a proxy’s password: %j',
    async (proxy) => {
      const { message } = await failure(undefined, { PIXELS_PROVISION_PROXY: proxy });
      expect(message).toContain('PIXELS_PROVISION_PROXY must be the address of a proxy');
      expect(message).not.toContain('s3cret');
    },
  );

  it('never repeats a secret: neither its value nor the line of a syntax error', async () => {
    expect((await failure('[truenas]\napi_key = ["s3cret"]')).message).not.toContain('s3cret');
    const error = await failure('[truenas]\napi_key = "s3cret" oops');
    expect(error.message).toMatch(/config\.toml:2:\d+: /);
    expect(error.message).not.toContain('s3cret');
    expect(error.cause).toBeUndefined();
  });

  it('is a file that cannot be read, which never counts as an empty one', async () => {
    fs.mkdirSync(file);
    expect((await failure(undefined)).message).toBe('~/.config/pixels/config.toml cannot be read (EISDIR).');
  });
});
