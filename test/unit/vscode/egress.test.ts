import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  agentPreset,
  allowing,
  allowingUntil,
  denying,
  formatEntry,
  newPolicy,
  parseEntry,
  readPolicy,
  writePolicy,
  type Refusal,
} from '../../../src/egress';
import { changeToMode } from '../../../src/app/egressMode';
import { PixelsError } from '../../../src/sandbox/errors';
import type { SandboxName } from '../../../src/sandbox/name';
import type { Sandbox } from '../../../src/sandbox/sandbox';
import type { DomainNode, Node } from '../../../src/vscode/tree/node';
import { told } from './fakeVscode';

vi.mock('vscode', () => import('./fakeVscode'));

const { egressView } = await import('../../../src/vscode/egressView');
const { egressRow, groupRow, domainRow } = await import('../../../src/vscode/tree/egressRow');
const { domainTooltip, egressTooltip, groupTooltip } = await import('../../../src/vscode/tree/egressTooltip');
const { allowDomain, problemWith } = await import('../../../src/vscode/commands/allowDomain');
const { refusalKey } = await import('../../../src/vscode/liveRefusals');
const { allowForOneHour, allowRefused, ignoreRefusal } =
  await import('../../../src/vscode/commands/egress/refusalCommands');
const { removeDomain } = await import('../../../src/vscode/commands/removeDomain');
const { egressChoices } = await import('../../../src/vscode/commands/create/askEgress');
const { switchGroupOff, switchGroupOn } = await import('../../../src/vscode/commands/switchGroup');

const web = 'web' as SandboxName;
const preset = agentPreset();
const agent = newPolicy('agent');
const list = (...entries: string[]) => newPolicy('allowlist', entries.map(parseEntry));
const egress = { preset: () => Promise.resolve(preset), policyOf: () => writePolicy(agent) };
const viewOf = (policy: Parameters<typeof writePolicy>[0]) => egressView({ egress } as never, writePolicy(policy));

beforeEach(() => {
  told.infos.length = 0;
  told.errors.length = 0;
});

describe('the row of what a sandbox may reach', () => {
  it('names the mode, and counts what is in it', async () => {
    expect(egressRow(await viewOf(agent))).toMatchObject({
      label: 'Egress: agent',
      description: `8 of ${preset.length} groups`,
      tags: ['egress', 'agent'],
      expandable: 'collapsed',
    });
    expect(egressRow(await viewOf(list('example.org', '10.0.0.1')))).toMatchObject({
      label: 'Egress: allowlist',
      description: '2 domains',
    });
  });

  it('says that nothing can be reached, and that everything can', async () => {
    expect(egressRow(await viewOf(list()))).toMatchObject({ description: 'empty', expandable: 'no' });
    const open = { ...list('example.org'), mode: 'unrestricted' } as const;
    expect(egressRow(await viewOf(open))).toMatchObject({
      label: 'Egress: unrestricted',
      description: '',
      expandable: 'no',
    });
  });

  it('says that the policy, or only the groups, cannot be read', async () => {
    expect(egressRow(await egressView({ egress } as never, '{"v":1}'))).toMatchObject({
      label: 'Egress',
      description: 'cannot be read',
      icon: { id: 'error' },
      tags: ['egress', 'unreadable'],
    });
    const broken = { preset: () => Promise.reject(new PixelsError('config', 'egress.toml: line 1.')) };
    const policy = allowing(agent, 'example.org', preset);
    const view = await egressView({ egress: broken } as never, writePolicy(policy));
    expect(egressRow(view)).toMatchObject({ label: 'Egress: agent', description: 'its groups cannot be read' });
    expect(view).toMatchObject({ allow: ['example.org'] });
  });

  it('has groups that say what is in them, or that they are off', async () => {
    const view = await viewOf(denying(agent, '@git', preset));
    const groups = view.kind === 'policy' ? view.groups : [];
    const git = groups.find(({ id }) => id === 'git')!;
    expect(groupRow(git)).toMatchObject({ label: 'Git hosting', description: 'off', tags: ['group', 'off'] });
    expect(groupRow({ ...git, on: true })).toMatchObject({
      description: 'github.com, githubusercontent.com, gitlab.com',
      tags: ['group', 'on'],
      spoken: 'Git hosting, on',
    });
    expect(groupTooltip(git)).toBe('@git\n\ngithub.com\ngithubusercontent.com\ngitlab.com');
  });

  it('has entries that look different where they are denied', () => {
    expect(domainRow('example.org', false).tags).toEqual(['domain', 'allowed']);
    expect(domainRow('example.org', true)).toMatchObject({ description: 'denied', tags: ['domain', 'denied'] });
  });
});

describe('a tooltip', () => {
  it.each([
    ['example.org', 'example.org and all below it'],
    ['=example.org:443', 'example.org, nothing below it, port 443'],
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['[2001:db8::1]:80', '2001:db8::1, port 80'],
  ])('says what the entry %s means', (entry, words) => {
    expect(domainTooltip(entry, false)).toBe(words);
    expect(domainTooltip(entry, true)).toContain(`${words}, denied`);
  });

  it('says whether the policy is in force, which only a sandbox that runs knows', async () => {
    const policy = denying(agent, '@git', preset);
    const words = async (status: Sandbox['status'], inForce: boolean) => {
      const asked = { ...egress, isInForce: () => Promise.resolve(inForce) };
      const sandbox = { name: web, status, state: { egress: writePolicy(policy) } };
      const tooltip = await egressTooltip({ egress: asked } as never, sandbox as Sandbox, await viewOf(policy));
      return typeof tooltip === 'string' ? tooltip : tooltip.value;
    };
    expect(await words('running', true)).toContain('| In force&nbsp;&nbsp; | yes |');
    expect(await words('running', false)).toContain('set its mode again');
    expect(await words('stopped', false)).toContain('when it runs');
    expect(await words('stopped', false)).toMatch(/Off&nbsp;&nbsp; \| Git hosting, Address ranges/);
  });
});

describe('another mode', () => {
  const change = (policy: string | undefined) =>
    changeToMode({ egress } as never, 'unrestricted').then((changed) => changed(policy));

  it('keeps the lists', async () => {
    expect(readPolicy(await change(writePolicy(list('example.org'))))).toEqual({
      ...list('example.org'),
      mode: 'unrestricted',
    });
  });

  it('makes a new policy of what nobody can read, but not of what a newer Pixels has written', async () => {
    expect(await change(undefined)).toBe(writePolicy(agent));
    expect(await change('{')).toBe(writePolicy(agent));
    await expect(change('{"v":9}')).rejects.toThrow(/cannot be read/);
  });
});

describe('the wizard', () => {
  const offered = async (mode: string, source?: SandboxName) => {
    const host = { get: () => Promise.resolve({ state: { egress: writePolicy(list()) } }) };
    const pixels = { egress, host, config: { network: { egress: mode } } };
    const current = { use: (work: (lent: unknown) => unknown) => work(pixels) };
    const choices = await egressChoices({ current } as never, source);
    return choices.map(({ label, description = '', value }) => [label, description, value]);
  };

  it('has the mode of the configuration first, which it then leaves to that', async () => {
    expect(await offered('agent')).toEqual([
      ['agent', 'default', 'usual'],
      ['unrestricted', '', 'unrestricted'],
      ['allowlist', '', 'allowlist'],
    ]);
  });

  it('offers for a copy first what its source may reach', async () => {
    expect(await offered('agent', web)).toEqual([
      ['as web', 'allowlist', 'usual'],
      ['unrestricted', '', 'unrestricted'],
      ['agent', '', 'agent'],
      ['allowlist', '', 'allowlist'],
    ]);
  });
});

describe('what is typed for Allow Domain', () => {
  it.each([
    ['', /This is empty\. Type a domain/],
    ['exa mple.org', /is no domain/],
    ['*', /is everything/],
    ['https://example.org/x', undefined],
    ['registry.npmjs.org', /web may reach that already/],
    ['@git', /web may reach that already/],
    ['@ranges', undefined],
    ['@nothing', /There is no group/],
  ])('%j: %s', async (typed, problem) => {
    const found = (await problemWith({ name: web, policy: agent, preset }))(typed);
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(problem);
  });
});

describe('a command on a row', () => {
  it('switches a group off and on', async () => {
    const sandbox = makeFace(writePolicy(agent));
    const group: Node = { kind: 'group', sandbox: web, id: 'git' };
    await switchGroupOff(sandbox.face, group);
    expect(sandbox.policy()).toMatchObject({ off: ['git'] });
    expect(told.infos.at(-1)!.text).toBe('web may not reach the group "Git hosting" any more.');
    sandbox.isRunning = false;
    await switchGroupOn(sandbox.face, group);
    expect(sandbox.policy()).toEqual(agent);
    expect(told.infos.at(-1)!.text).toBe('web may reach the group "Git hosting", from its next start on.');
  });

  it('takes an entry off the list, and says when it can still be reached', async () => {
    const sandbox = makeFace(writePolicy({ ...list('example.org', 'github.com'), mode: 'agent' }));
    await removeDomain(sandbox.face, domain('example.org'));
    expect(told.infos.at(-1)!.text).toBe('web may not reach example.org any more.');
    await removeDomain(sandbox.face, domain('github.com'));
    expect(told.infos.at(-1)!.text).toMatch(/^github\.com is off the list of web, which reaches it by a group/);
    expect(sandbox.policy()).toEqual(agent);
  });

  it('takes back an exception', async () => {
    const sandbox = makeFace(writePolicy(denying(agent, 'gist.github.com', preset)));
    await removeDomain(sandbox.face, { ...domain('gist.github.com'), denied: true });
    expect(told.infos.at(-1)!.text).toBe('gist.github.com is not denied to web any more.');
    expect(sandbox.policy()).toEqual(agent);
  });

  it('takes back what is allowed for some time', async () => {
    const until = new Date(Date.now() + 3_600_000);
    const sandbox = makeFace(writePolicy(allowingUntil(list('b.example'), 'a.example', until, preset)));
    const view = await viewOf(sandbox.policy());
    expect(egressRow(view)).toMatchObject({ description: '1 domain · 1 for some time' });
    expect(domainRow('a.example', false, { until })).toMatchObject({
      icon: { id: 'clock' },
      tags: ['domain', 'timed'],
    });
    expect(domainRow('a.example', false, { until, forSetUp: true }).description).toMatch(/^for the set-up, until \d/);
    await removeDomain(sandbox.face, domain('a.example'));
    expect(sandbox.policy()).toEqual(list('b.example'));
  });

  it('lets what was refused through, for an hour or for good, all that is selected at once', async () => {
    const sandbox = makeFace(writePolicy(list()));
    const nowhere = { address: undefined, protocol: undefined, port: undefined, count: 1, last: new Date() };
    sandbox.refused.push({ ...nowhere, name: 'a.example' });
    sandbox.refused.push({ ...nowhere, name: undefined, address: '192.0.2.1', protocol: 'tcp', port: 22 });
    const rows = sandbox.refused.map((refusal): Node => ({ kind: 'refusal', sandbox: web, key: refusalKey(refusal) }));
    await allowForOneHour(sandbox.face, rows[0], rows);
    expect(sandbox.policy().timed.map(({ entry }) => formatEntry(entry))).toEqual(['192.0.2.1:22', 'a.example']);
    const left = sandbox.policy().timed[0]!.until.getTime() - Date.now();
    expect(Math.abs(left - 3_600_000)).toBeLessThan(5_000);
    expect(told.infos.at(-1)!.text).toMatch(/^web may reach a\.example, 192\.0\.2\.1:22 until /);
    await allowRefused(sandbox.face, rows[1]);
    expect(sandbox.policy()).toMatchObject({
      allow: list('192.0.2.1:22').allow,
      timed: [{ entry: { name: 'a.example' } }],
    });
    await ignoreRefusal(sandbox.face, rows[0], rows);
    expect(sandbox.ignored).toEqual(rows.map((row) => (row as { key: string }).key));
  });

  it('takes all selected entries of one sandbox away at once', async () => {
    const sandbox = makeFace(writePolicy(list('a.example', 'b.example', 'c.example')));
    const rows = [domain('a.example'), domain('c.example'), { ...domain('b.example'), sandbox: 'db' as SandboxName }];
    await removeDomain(sandbox.face, rows[0], rows);
    expect(sandbox.policy()).toEqual(list('b.example'));
    expect(told.infos.at(-1)!.text).toBe('2 entries are off the list of web.');
  });

  it('offers to set a mode where everything may be reached', async () => {
    await allowDomain(makeFace(undefined).face, { kind: 'sandbox', name: web });
    expect(told.infos).toEqual([{ text: 'web may reach everything.', buttons: ['Set Egress Mode…'] }]);
  });

  it('tells once what went wrong', async () => {
    const sandbox = makeFace(writePolicy(agent));
    sandbox.failure = new PixelsError('failed', 'web was stopped.');
    await switchGroupOff(sandbox.face, { kind: 'group', sandbox: web, id: 'git' });
    expect(told.infos).toEqual([]);
    expect(told.errors).toMatchObject([{ text: 'web was stopped.' }]);
  });

  function domain(entry: string): DomainNode {
    return { kind: 'domain', sandbox: web, entry, denied: false };
  }

  function makeFace(text: string | undefined) {
    const server = {
      text,
      isRunning: true,
      failure: undefined as Error | undefined,
      refused: [] as Refusal[],
      ignored: [] as string[],
      policy: () => readPolicy(server.text!),
      face: {} as never,
    };
    const changeEgress = (_: SandboxName, change: (text: string | undefined) => string) => {
      if (server.failure !== undefined) return Promise.reject(server.failure);
      server.text = change(server.text);
      return Promise.resolve(server.isRunning);
    };
    const host = { get: () => Promise.resolve({ name: web, state: text === undefined ? {} : { egress: text } }) };
    server.face = {
      activity: { begin: () => ({ report: () => undefined, end: () => undefined }) },
      log: { error: () => undefined },
      refusals: {
        of: () => server.refused,
        look: () => Promise.resolve(),
        ignore: (_: SandboxName, keys: string[]) => Promise.resolve(void server.ignored.push(...keys)),
      },
      tree: { node: () => undefined },
      current: { use: (work: (pixels: unknown) => unknown) => work({ egress, host, lifecycle: { changeEgress } }) },
    } as never;
    return server;
  }
});
