import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { parseEntry } from '../../../src/egress/entry';
import { applyScript } from '../../../src/egress/applyScript';
import { guestPolicy } from '../../../src/egress/guest/files';
import { UNITS } from '../../../src/egress/guest/units';
import { allowingUntil, newPolicy, policyAt } from '../../../src/egress/policy';
import { agentPreset } from '../../../src/egress/preset';
import { egressOf } from '../../../src/egress/setup';
import type { SandboxHost } from '../../../src/sandbox/host';

const preset = agentPreset();

describe('what is put into a sandbox', () => {
  it('has a mark of its own for each policy, and the same for the same', () => {
    const policies = [newPolicy('agent'), newPolicy('allowlist'), newPolicy('allowlist', [parseEntry('a.example')])];
    const marks = policies.map((policy) => guestPolicy(policy, preset).mark);
    expect(new Set(marks).size).toBe(3);
    expect(policies.map((policy) => guestPolicy(policy, preset).mark)).toEqual(marks);
    const changed = agentPreset({ text: '[agent.git]\nenabled = false', where: 'egress.toml' });
    expect(guestPolicy(newPolicy('agent'), changed).mark).not.toBe(marks[0]);
  });

  it('ends with a seal, which any change breaks', () => {
    const seals = [newPolicy('agent'), newPolicy('allowlist')].map((policy) =>
      guestPolicy(policy, preset).files.at(-1)!,
    );
    expect(seals.map(({ path }) => path)).toEqual(Array(2).fill('/var/lib/pixels/egress/seal'));
    expect(new Set(seals.map(({ content }) => content)).size).toBe(2);
  });

  it('for a sandbox that may reach everything is an empty ruleset, which takes the place of an older one', () => {
    const { mark, files } = guestPolicy(newPolicy('unrestricted'), preset);
    expect(mark).toBe('open');
    const content = (name: string) => files.find(({ path }) => path === `/var/lib/pixels/egress/${name}`)?.content;
    expect([content('ruleset.nft'), content('resolver.conf'), content('asked')]).toEqual(['', '', '']);
  });

  it('has what follows when something is allowed no longer, as that will be', () => {
    const now = new Date('2030-01-01T00:00:00Z');
    const at = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);
    const one = allowingUntil(newPolicy('allowlist'), 'a.example', at(60), preset);
    const policy = allowingUntil(one, 'b.example', at(3600), preset);
    const contents = (time: Date): Record<string, string> =>
      Object.fromEntries(guestPolicy(policyAt(policy, time), preset).files.map(({ path, content }) => [path, content]));
    const { mark, files } = guestPolicy(policy, preset, now);
    expect(mark).toBe(guestPolicy(policyAt(policy, now), preset).mark);
    const later = files
      .find(({ path }) => path.endsWith('/later'))!
      .content.trimEnd()
      .split('\n');
    expect(later).toHaveLength(2);
    for (const [index, seconds] of [60, 3600].entries()) {
      const then = contents(at(seconds));
      const [time, marked, ...encoded] = later[index]!.split(' ');
      expect(Number(time) * 1000).toBe(at(seconds).getTime());
      expect(`${marked}\n`).toBe(then['/var/lib/pixels/egress/mark']);
      expect(encoded.map((text) => (text === '-' ? '' : Buffer.from(text, 'base64').toString()))).toEqual(
        ['ruleset.nft', 'resolver.conf', 'asked'].map((name) => then[`/var/lib/pixels/egress/${name}`]),
      );
    }
    const open = guestPolicy({ ...policy, mode: 'unrestricted' }, preset, now);
    expect(open.files.find(({ path }) => path.endsWith('/later'))!.content).toBe('');
  });

  it('is a script that a shell understands, and units that systemd does', () => {
    const { files } = guestPolicy(newPolicy('agent'), preset);
    const script = files.find(({ path }) => path.endsWith('/egress.sh'))!.content;
    for (const input of [applyScript(files, { run: '/run', command: 'true' }), script])
      execFileSync('sh', ['-n'], { input });
    for (const [path, text] of Object.entries(UNITS)) {
      expect(text, path).toMatch(/^\[Unit\]\n/);
      expect(
        text.split('\n').filter((line) => !/^(\[\w+\]|[A-Z]\w+=.+|)$/.test(line)),
        path,
      ).toEqual([]);
    }
  });
});

describe('the configuration', () => {
  const egress = (mode: 'agent' | 'unrestricted', allow: string[]) =>
    egressOf({
      presetFile: '/nonexistent/egress.toml',
      mode,
      allow,
      enforcement: 'guest',
      gateway: () => Promise.reject(new Error('nobody asks')),
    });
  const host = {} as SandboxHost;

  it('says what new sandboxes get', async () => {
    expect(await egress('unrestricted', ['a.example']).initial(host)).toBeUndefined();
    expect(await egress('agent', ['A.example']).initial(host)).toBe(
      '{"v":1,"mode":"agent","on":[],"off":[],"allow":["a.example"],"deny":[]}',
    );
  });

  it('with a wrong entry is an error that names its key', async () => {
    await expect(egress('agent', ['a.*.b']).policyOf(host, 'agent')).rejects.toThrow(
      /^network\.allow: "a\.\*\.b" has a "\*"/,
    );
  });
});
