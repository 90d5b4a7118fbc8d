import { describe, expect, it } from 'vitest';
import { formatEntry, parseEntry } from '../../../src/egress/entry';
import {
  allowed,
  allowing,
  allowingUntil,
  denying,
  lending,
  newPolicy,
  takingBack,
  policyAt,
  readPolicy,
  writePolicy,
  type Policy,
} from '../../../src/egress/policy';
import { agentPreset, groupWith } from '../../../src/egress/preset';
import { rulesOf, type Ports } from '../../../src/egress/rules';
import type { PixelsError } from '../../../src/sandbox/errors';

const preset = agentPreset();
const texts = (policy: Policy): string[] => allowed(policy, preset).map(formatEntry);
const allow = (policy: Policy, ...typed: string[]): Policy =>
  typed.reduce((before, one) => allowing(before, one, preset), policy);
const deny = (policy: Policy, ...typed: string[]): Policy =>
  typed.reduce((before, one) => denying(before, one, preset), policy);

/** What the rules say of a name that is asked for: the rule of the longest of its suffixes. */
function portsFor(policy: Policy, asked: string): Ports {
  const rules = rulesOf(policy, preset)!;
  for (let name = asked; ; name = name.slice(name.indexOf('.') + 1)) {
    const rule = rules.domains.find((candidate) => candidate.name === name);
    if (rule !== undefined) return name === asked ? rule.ports : rule.below;
    if (!name.includes('.')) return [];
  }
}

describe('the preset', () => {
  it('has groups with titles, whose entries are all different and are written as Pixels writes them', () => {
    expect(preset.map(({ id }) => id)).toEqual([
      'ai',
      'ai-accounts',
      'packages',
      'git',
      'attestation',
      'tools',
      'system',
      'editor',
      'ranges',
    ]);
    const all = preset.flatMap(({ entries }) => entries.map(formatEntry));
    expect(new Set(all).size).toBe(all.length);
    expect(preset.filter(({ enabled }) => !enabled).map(({ id }) => id)).toEqual(['ranges']);
    for (const { title, entries } of preset) {
      expect(title).toMatch(/^[A-Z]/);
      expect(entries.length).toBeGreaterThan(0);
    }
  });

  it('lets nobody name all of a storage or a cloud that everybody uses', () => {
    const wide = [
      'googleapis.com',
      'windows.net',
      'blob.core.windows.net',
      'amazonaws.com',
      'azure.com',
      'microsoft.com',
    ];
    for (const name of wide) expect(preset.flatMap(({ entries }) => entries.map(formatEntry))).not.toContain(name);
  });

  it('takes groups from a file of the person’s own, which may add, change and switch off', () => {
    const text = `
      [agent.git]
      allow = ["git.company.example"]
      [agent.editor]
      enabled = false
      [agent.company]
      title = "Our own"
      allow = ["https://Company.example/", "10.0.0.0/8"]`;
    const own = agentPreset({ text, where: '~/.config/pixels/egress.toml' });
    const group = (id: string) => own.find((each) => each.id === id)!;
    expect(group('git')).toMatchObject({ title: 'Git hosting', enabled: true });
    expect(group('git').entries.map(formatEntry)).toEqual(['git.company.example']);
    expect(group('editor')).toMatchObject({
      enabled: false,
      entries: preset.find(({ id }) => id === 'editor')!.entries,
    });
    expect(own.at(-1)).toMatchObject({ id: 'company', title: 'Our own', enabled: true });
    expect(own.at(-1)!.entries.map(formatEntry)).toEqual(['company.example', '10.0.0.0/8']);
    expect(groupWith(own, parseEntry('company.example'))?.id).toBe('company');
  });

  it.each([
    ['[agent.x]\nallow = ["a.*.b"]', /^egress\.toml: agent\.x: "a\.\*\.b" has a "\*"/],
    ['[agent.x]\nalow = []', /^egress\.toml: agent\.x has an unknown key, alow\.$/],
    ['[agnt.x]', /^egress\.toml: the file has an unknown key, agnt\.$/],
    ['[agent."Bad Name"]', /^egress\.toml: agent\.Bad Name cannot be this\.$/],
    ['[agent.x]\nallow = "a.b"', /^egress\.toml: agent\.x\.allow cannot be this\.$/],
    ['[agent', /^egress\.toml: line 1: /],
  ])('refuses a file with %j', (text, message) => {
    expect(() => agentPreset({ text, where: 'egress.toml' })).toThrow(message);
  });
});

describe('a mode', () => {
  const own = [parseEntry('own.example')];

  it('agent allows the groups that are on, and the own entries', () => {
    const policy = newPolicy('agent', own);
    expect(texts(policy)).toContain('github.com');
    expect(texts(policy)).toContain('own.example');
    expect(texts(policy)).not.toContain('142.250.0.0/15');
  });

  it('allowlist allows the own entries only', () => {
    expect(texts(newPolicy('allowlist', own))).toEqual(['own.example']);
  });

  it('unrestricted has no rules', () => {
    expect(rulesOf(newPolicy('unrestricted', own), preset)).toBeUndefined();
  });
});

describe('allowing', () => {
  const empty = newPolicy('allowlist');

  it('adds an entry once, sorted, and not where a wider one is there', () => {
    const policy = allow(empty, 'b.example', 'a.example', 'B.example.', 'www.b.example', 'b.example:443');
    expect(policy.allow.map(formatEntry)).toEqual(['a.example', 'b.example']);
  });

  it('adds nothing that the preset has already', () => {
    expect(allow(newPolicy('agent'), 'api.github.com').allow).toEqual([]);
  });

  it('takes back what was denied', () => {
    const policy = deny(newPolicy('agent'), 'gist.github.com');
    expect(allow(policy, 'gist.github.com')).toEqual(newPolicy('agent'));
    expect(allow(policy, 'github.com')).toEqual(newPolicy('agent'));
  });

  it('counts below a denied name, but not in a denied range, and says so', () => {
    const policy = allow(deny(newPolicy('agent'), 'gist.github.com'), 'one.gist.github.com');
    expect(portsFor(policy, 'one.gist.github.com')).toBe('all');
    expect(portsFor(policy, 'two.gist.github.com')).toEqual([]);
    const ranges = deny(allow(empty, '10.0.0.0/8'), '10.1.0.0/16');
    expect(() => allow(ranges, '10.1.2.3')).toThrow('10.1.2.3 lies in 10.1.0.0/16, which is denied.');
    expect(allow(ranges, '10.1.0.0/16')).toEqual(allow(empty, '10.0.0.0/8'));
  });
});

describe('allowing for some time', () => {
  const now = new Date('2030-01-01T00:00:00Z');
  const inHours = (hours: number): Date => new Date(now.getTime() + hours * 3_600_000);
  const until = (policy: Policy, typed: string, hours: number): Policy =>
    allowingUntil(policy, typed, inHours(hours), preset);
  const timed = (policy: Policy): string[] =>
    policy.timed.map((one) => `${formatEntry(one.entry)} ${one.until.toISOString().slice(11, 13)}`);
  const empty = newPolicy('allowlist');

  it('counts until then, and no longer', () => {
    const policy = until(until(empty, 'b.example', 2), 'a.example:443', 1);
    expect(timed(policy)).toEqual(['a.example:443 01', 'b.example 02']);
    const at = (hours: number): string[] => texts(policyAt(policy, inHours(hours)));
    expect([at(0), at(0.99), at(1), at(2)]).toEqual([
      ['a.example:443', 'b.example'],
      ['a.example:443', 'b.example'],
      ['b.example'],
      [],
    ]);
  });

  it('of the same entry has the end that was named last', () => {
    expect(timed(until(until(empty, 'a.example', 2), 'A.example', 1))).toEqual(['a.example 01']);
  });

  it('changes nothing where it is allowed without an end, and gives way to that', () => {
    expect(until(newPolicy('agent'), 'api.github.com', 1)).toEqual(newPolicy('agent'));
    expect(allow(until(empty, 'www.a.example', 1), 'a.example')).toEqual(allow(empty, 'a.example'));
  });

  it('is not there for what is denied or for a group, and says so', () => {
    const policy = deny(newPolicy('agent'), 'gist.github.com');
    expect(() => until(policy, 'gist.github.com', 1)).toThrow('gist.github.com is denied, which counts more.');
    expect(portsFor(policyAt(until(policy, 'one.gist.github.com', 1), now), 'one.gist.github.com')).toBe('all');
    expect(() => until(deny(allow(empty, '10.0.0.0/8'), '10.1.0.0/16'), '10.1.2.3', 1)).toThrow(
      '10.1.0.0/16 is denied',
    );
    expect(() => until(newPolicy('agent'), '@git', 1)).toThrow('A group cannot be switched on for some time.');
  });

  it('is taken away by what denies it, or a part of it becomes an exception', () => {
    const policy = until(empty, 'a.example', 1);
    expect(deny(policy, 'a.example')).toEqual(empty);
    expect(portsFor(policyAt(deny(policy, 'www.a.example'), now), 'www.a.example')).toEqual([]);
  });

  it('is kept, and gone when it is read after its end', () => {
    const policy = until(until(empty, 'b.example', 2), 'a.example', 1);
    const text = writePolicy(policy);
    expect(text).toContain('"v":2,');
    expect(text).toContain('"timed":[{"entry":"a.example","until":1893459600},');
    expect(readPolicy(text, now)).toEqual(policy);
    expect(timed(readPolicy(text, inHours(1)))).toEqual(['b.example 02']);
    expect(writePolicy(readPolicy(text, inHours(2)))).toBe(writePolicy(empty));
  });
});

describe('denying', () => {
  it('takes away own entries, with all that they cover', () => {
    const policy = allow(newPolicy('allowlist'), 'www.example.org', 'example.org:443', 'example.net');
    expect(deny(policy, 'example.org')).toEqual(allow(newPolicy('allowlist'), 'example.net'));
  });

  it('makes an exception from what stays allowed', () => {
    const policy = deny(newPolicy('agent'), 'gist.github.com');
    expect(policy.deny.map(formatEntry)).toEqual(['gist.github.com']);
    expect(portsFor(policy, 'github.com')).toBe('all');
    expect(portsFor(policy, 'gist.github.com')).toEqual([]);
    expect(portsFor(policy, 'a.gist.github.com')).toEqual([]);
    expect(portsFor(policy, 'api.github.com')).toBe('all');
  });

  it('of a whole domain includes the single names of the preset in it', () => {
    const policy = deny(newPolicy('agent'), 'googleapis.com');
    expect(portsFor(policy, 'generativelanguage.googleapis.com')).toEqual([]);
    expect(texts(policy)).not.toContain('generativelanguage.googleapis.com');
  });

  it('of what is not allowed changes nothing', () => {
    expect(deny(newPolicy('agent'), 'elsewhere.example')).toEqual(newPolicy('agent'));
  });

  it('of one port of what stays allowed is refused', () => {
    expect(() => deny(newPolicy('agent'), 'github.com:22')).toThrow(/github\.com can only be denied with all/);
  });
});

describe('groups', () => {
  it('are switched off and on one by one', () => {
    const off = deny(newPolicy('agent'), '@git', '@editor');
    expect(off.off).toEqual(['editor', 'git']);
    expect(texts(off)).not.toContain('github.com');
    expect(texts(off)).toContain('npmjs.org');
    const ranges = allow(allow(off, '@GIT'), '@ranges');
    expect(ranges).toMatchObject({ off: ['editor'], on: ['ranges'] });
    expect(texts(ranges)).toContain('142.250.0.0/15');
    expect(deny(allow(ranges, '@editor'), '@ranges')).toEqual(newPolicy('agent'));
  });

  it('that are not there, or do not count, are refused with what there is', () => {
    const refusal = (action: () => unknown): PixelsError => {
      try {
        action();
      } catch (error) {
        return error as PixelsError;
      }
      throw new Error('not refused');
    };
    expect(refusal(() => allow(newPolicy('agent'), '@gti'))).toMatchObject({
      kind: 'invalid',
      hint: expect.stringMatching(/@git, /) as string,
    });
    expect(refusal(() => deny(newPolicy('allowlist'), '@git'))).toMatchObject({ kind: 'wrong-state' });
  });
});

describe('rules', () => {
  const policy = allow(
    newPolicy('allowlist'),
    '=only.example',
    'example.org:443',
    'www.example.org:80',
    'free.example.org',
  );

  it.each([
    ['only.example', 'all'],
    ['www.only.example', []],
    ['example.org', [443]],
    ['other.example.org', [443]],
    ['www.example.org', [80, 443]],
    ['a.www.example.org', [80, 443]],
    ['a.free.example.org', 'all'],
    ['org', []],
    ['notexample.org', []],
  ])('let %s be reached at %j', (name, ports) => {
    expect(portsFor(policy, name)).toEqual(ports);
  });

  it('cannot give a name other ports than those below it, and say so', () => {
    expect(() => rulesOf(allow(policy, '=www.example.org:8080'), preset)).toThrow(
      /www\.example\.org would have other ports/,
    );
  });

  it('name no range twice', () => {
    const ranges = newPolicy(
      'allowlist',
      ['10.0.0.0/8', '10.1.0.0/16', '10.2.0.0/16:443', '::1', '::1'].map(parseEntry),
    );
    expect(rulesOf(ranges, preset)!.allowedRanges.map(formatEntry)).toEqual(['10.0.0.0/8', '::1']);
  });
});

describe('what is lent to a set-up', () => {
  const until = new Date('2030-01-01T01:00:00Z');
  const lend = (policy: Policy, ...needs: string[]): Policy => lending(policy, needs, until, preset);
  const lentTo = (policy: Policy): string[] =>
    policy.timed.filter(({ forSetUp }) => forSetUp === true).map(({ entry }) => formatEntry(entry));
  const list = newPolicy('allowlist', [parseEntry('own.example')]);

  it('is what it needs, groups too, and comes back and goes again as a whole', () => {
    const lent = lend(list, '@system', 'a.example:443', 'sub.own.example');
    expect(lentTo(lent)).toEqual(['a.example:443', 'debian.org', 'ubuntu.com']);
    expect(lent.timed.every((one) => one.until.getTime() === until.getTime())).toBe(true);
    expect(readPolicy(writePolicy(lent), new Date('2030-01-01T00:00:00Z'))).toEqual(lent);
    expect(lend(lent, 'b.example').timed).toEqual(lend(list, 'b.example').timed);
    expect(takingBack(lent)).toEqual(list);
  });

  it('is nothing that a person has denied, or allowed for some time already', () => {
    const denied = deny(newPolicy('agent'), 'debian.org');
    expect(lentTo(lend(denied, '@system'))).toEqual([]);
    const own = allowingUntil(list, 'a.example', new Date('2030-01-01T00:10:00Z'), preset);
    expect(lend(own, 'a.example')).toEqual(own);
    expect(takingBack(lend(own, 'a.example', 'b.example'))).toEqual(own);
  });

  it('is nothing where everything may be reached, or where the words make no sense', () => {
    expect(() => lend(list, 'a.*.example')).toThrow(/does not stand alone/);
    expect(() => lend(list, '@sytem')).toThrow(/sytem/);
  });
});

describe('the form that is kept with a sandbox', () => {
  const policy = deny(
    allow(newPolicy('agent', [parseEntry('10.0.0.0/8:443')]), 'bücher.example', '@ranges'),
    'gist.github.com',
    '@git',
  );

  it('comes back as it was', () => {
    const text = writePolicy(policy);
    expect(text).toBe(
      '{"v":1,"mode":"agent","on":["ranges"],"off":["git"],"allow":["10.0.0.0/8:443","xn--bcher-kva.example"],"deny":["gist.github.com"]}',
    );
    expect(readPolicy(text)).toEqual(policy);
  });

  it.each([
    ['', 'cannot be read'],
    ['{', 'cannot be read'],
    ['null', 'cannot be read'],
    ['{"v":1,"mode":"agent"}', 'cannot be read'],
    ['{"v":1,"mode":"open","on":[],"off":[],"allow":[],"deny":[]}', 'cannot be read'],
    ['{"v":1,"mode":"agent","on":[],"off":[],"allow":["*.org"],"deny":[]}', 'cannot be read'],
    ['{"v":1,"mode":"agent","on":[],"off":[],"allow":["Example.org"],"deny":[]}', 'cannot be read'],
    ['{"v":1,"mode":"agent","on":[],"off":[],"allow":[],"deny":[],"more":1}', 'cannot be read'],
    [
      '{"v":2,"mode":"agent","on":[],"off":[],"allow":[],"deny":[],"timed":[{"entry":"*.org","until":1}]}',
      'cannot be read',
    ],
    ['{"v":2,"mode":"agent","on":[],"off":[],"allow":[],"deny":[],"timed":["a.org"]}', 'cannot be read'],
    ['{"v":"1","mode":"agent","on":[],"off":[],"allow":[],"deny":[]}', 'cannot be read'],
  ])('is refused when it is %j', (text, message) => {
    expect(() => readPolicy(text)).toThrow(message);
  });

  it('of a newer version says that Pixels is too old', () => {
    try {
      readPolicy('{"v":4,"anything":true}');
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ kind: 'protocol', hint: 'A newer Pixels has written it: update this one.' });
    }
  });
});
