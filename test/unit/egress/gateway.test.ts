import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { applyScript } from '../../../src/egress/applyScript';
import { gatewayPolicy } from '../../../src/egress/gateway/files';
import { resolverPort } from '../../../src/egress/gateway/places';
import { UNITS } from '../../../src/egress/gateway/units';
import { newPolicy, readPolicy, usesGateway, writePolicy } from '../../../src/egress/policy';
import { parseEntry } from '../../../src/egress/entry';
import { agentPreset } from '../../../src/egress/preset';
import { egressOf } from '../../../src/egress/setup';
import { addressOfMac, gatewayAddress, gatewayMac, GATEWAY_NETWORK } from '../../../src/sandbox/gateway';
import type { SandboxHost } from '../../../src/sandbox/host';
import { parseName } from '../../../src/sandbox/name';

const preset = agentPreset();
const policy = newPolicy('agent', [], 'gateway');
const web = { name: parseName('web'), address: '198.18.1.2' };
const contentOf = (files: readonly { path: string; content: string }[], end: string): string =>
  files.find(({ path }) => path.endsWith(end))!.content;

describe('addresses behind a gateway', () => {
  it('tell a MAC address and a port, and are told by them', () => {
    const { first, last } = GATEWAY_NETWORK;
    const all = Array.from({ length: last - first + 1 }, (_, at) => gatewayAddress(first + at));
    expect([all[0], all.at(-1)]).toEqual(['198.18.0.2', '198.18.15.254']);
    expect(all.map((address) => addressOfMac(gatewayMac(address)))).toEqual(all);
    expect(new Set(all.map(resolverPort)).size).toBe(all.length);
    expect([resolverPort(all[0]!), resolverPort(all.at(-1)!)]).toEqual([10_002, 14_094]);
    expect(gatewayMac('198.18.1.2')).toBe('10:66:6a:12:01:02');
  });

  it('are no others', () => {
    expect(addressOfMac('00:16:3e:12:01:02')).toBeUndefined();
    expect(addressOfMac('10:66:6a:99:01:02')).toBeUndefined();
  });
});

describe('what is put into a gateway for a sandbox', () => {
  it('is its own: a table, a port and a mark that no other one has', () => {
    const { mark, files } = gatewayPolicy(policy, preset, web);
    expect(contentOf(files, '/web/ruleset.nft')).toMatch(/^table inet px-web\n/);
    expect(contentOf(files, '/web/ruleset.nft')).toContain('redirect to :10258');
    expect(contentOf(files, '/web/resolver.conf')).toMatch(/^port=10258\nlisten-address=198\.18\.0\.1\n/);
    expect(contentOf(files, '/web/resolver.conf')).toContain('#inet#px-web#any4');
    const other = gatewayPolicy(policy, preset, { ...web, address: '198.18.1.3' });
    expect(other.mark).not.toBe(mark);
    expect(gatewayPolicy(policy, preset, web).mark).toBe(mark);
  });

  it('is a script that a shell understands, and units that systemd does', () => {
    const { files } = gatewayPolicy(policy, preset, web);
    const script = contentOf(files, '/gateway.sh');
    for (const input of [applyScript(files, { run: '/run', command: 'true' }), script]) {
      execFileSync('sh', ['-n'], { input });
    }
    for (const [path, text] of Object.entries(UNITS)) {
      expect(text, path).toMatch(/^\[Unit\]\n/);
      const odd = text.split('\n').filter((line) => !/^(\[\w+\]|[A-Z]\w+=.+|)$/.test(line));
      expect(odd, path).toEqual([]);
    }
  });
});

describe('where a policy is enforced', () => {
  const optionsFor = (enforcement: 'auto' | 'guest' | 'gateway') =>
    egressOf({
      presetFile: '/nonexistent/egress.toml',
      mode: 'agent',
      allow: [],
      enforcement,
      gateway: () => Promise.reject(new Error('nobody asks')),
    });
  const able = { gateway: { lack: () => Promise.resolve(undefined) } } as SandboxHost;
  const unable = { gateway: { lack: () => Promise.resolve('It is a cluster.') } } as SandboxHost;
  const without = {} as SandboxHost;

  it.each([
    ['auto', able, 'gateway'],
    ['auto', unable, 'guest'],
    ['auto', without, 'guest'],
    ['guest', able, 'guest'],
    ['gateway', without, 'gateway'],
  ] as const)('as %s is chosen by what the server can do', async (enforcement, host, expected) => {
    const text = await optionsFor(enforcement).policyOf(host, 'agent');
    expect(readPolicy(text).enforcement).toBe(expected);
    expect(usesGateway(readPolicy(text))).toBe(expected === 'gateway');
  });

  it('is refused before anything is done where it cannot be', async () => {
    const egress = optionsFor('gateway');
    const text = await egress.policyOf(without, 'agent');
    await expect(egress.check(without, text)).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringContaining('Gateway enforcement needs Incus') as string,
    });
    await expect(egress.check(unable, text)).rejects.toThrow('It is a cluster.');
    await egress.check(able, text);
  });

  it('is kept with it, in a form that an older Pixels refuses', () => {
    const own = newPolicy('allowlist', [parseEntry('a.example')], 'gateway');
    expect(writePolicy(own)).toBe(
      '{"v":3,"mode":"allowlist","on":[],"off":[],"allow":["a.example"],"deny":[],"enforcement":"gateway","timed":[]}',
    );
    expect(readPolicy(writePolicy(own))).toEqual(own);
    expect(usesGateway({ ...own, mode: 'unrestricted' })).toBe(false);
  });
});
