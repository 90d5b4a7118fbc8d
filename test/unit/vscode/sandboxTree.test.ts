import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { agentPreset, allowing, denying, newPolicy, parseEntry, writePolicy, type Refusal } from '../../../src/egress';
import { Inventory } from '../../../src/sandbox/inventory';
import { silentLog } from '../../../src/sandbox/log';
import { PixelsError } from '../../../src/sandbox/errors';
import type { SandboxName } from '../../../src/sandbox/name';
import type { ProvisionProgress } from '../../../src/sandbox/provisioning';
import type { Node } from '../../../src/vscode/tree/node';
import { FakeHost } from './fakeHost';
import { EventEmitter, told } from './fakeVscode';

vi.mock('vscode', () => import('./fakeVscode'));

const { Activity } = await import('../../../src/vscode/activity');
const { LiveInventory } = await import('../../../src/vscode/liveInventory');
const { LiveProvisioning } = await import('../../../src/vscode/liveProvisioning');
const { LiveRefusals } = await import('../../../src/vscode/liveRefusals');
const { SandboxTree } = await import('../../../src/vscode/tree/sandboxTree');
const { nodeId } = await import('../../../src/vscode/tree/node');

function makeTree(server: FakeHost, incus: { socket?: string } = {}) {
  const host = server.asHost();
  const inventory = new Inventory(host, silentLog);
  const hashes = new Map<string, string>();
  const bases = { hashNow: (name: string) => Promise.resolve(hashes.get(name)) };
  const lifecycle = { provisioner: server.provisioner };
  const refused: Refusal[] = [];
  const asked: string[] = [];
  const refusalsOf = (_: unknown, name: string) => (asked.push(name), Promise.resolve([...refused]));
  const egress = { preset: () => Promise.resolve(agentPreset()), refusals: refusalsOf };
  const pixels = { host, inventory, bases, config: { incus }, lifecycle, egress };
  const replaced = new EventEmitter<unknown>();
  const current = {
    value: pixels,
    onDidChange: replaced.event,
    use: (work: (lent: unknown) => Promise<unknown>) => work(pixels),
  };
  const live = new LiveInventory(current as never);
  const activity = new Activity();
  const provisioning = new LiveProvisioning(current as never, silentLog);
  const memory = new Map<string, unknown>();
  const memento = {
    get: (key: string) => memory.get(key),
    update: (key: string, value: unknown) => Promise.resolve(void memory.set(key, value)),
  };
  const refusals = new LiveRefusals(current as never, live, memento as never, silentLog);
  const tree = new SandboxTree(current as never, live, activity, provisioning, refusals);
  const visibility = new EventEmitter<{ visible: boolean }>();
  const expanded = new EventEmitter<{ element: Node }>();
  const view = {
    visible: false,
    message: '',
    badge: undefined as { value: number; tooltip: string } | undefined,
    onDidChangeVisibility: visibility.event,
    onDidExpandElement: expanded.event,
    onDidCollapseElement: new EventEmitter<{ element: Node }>().event,
  };
  tree.showIn(view as never);
  const fired: string[] = [];
  tree.onDidChangeTreeData((node) => fired.push(node === undefined ? 'all' : nodeId(node)));
  const show = (visible: boolean) => visibility.fire({ visible });
  const expand = (element: Node) => expanded.fire({ element });
  return { tree, activity, fired, show, live, view, hashes, refusals, refused, asked, expand };
}

/** Asks for rows as the editor does. */
async function draw(
  tree: ReturnType<typeof makeTree>['tree'],
  parent?: Node,
): Promise<{ node: Node; label: string; description: string }[]> {
  const nodes = await tree.getChildren(parent);
  return nodes.map((node) => {
    const item = tree.getTreeItem(node);
    return {
      node,
      label: typeof item.label === 'string' ? item.label : '',
      description: typeof item.description === 'string' ? item.description : '',
    };
  });
}

function inStep(title: string, source?: string): ProvisionProgress {
  const step = { id: 'x', title, number: 1, outcome: 'running', source, retries: 0, lastLines: [] } as const;
  return { outcome: 'running', stepCount: 2, steps: [step] };
}

const settled = () => vi.advanceTimersByTimeAsync(200);

beforeEach(() => {
  vi.useFakeTimers();
  told.contexts.clear();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the tree', () => {
  it('asks the server for nothing and keeps no connection while it is hidden', async () => {
    const server = new FakeHost();
    server.put('web', 'running', ['ready']);
    const { tree, show, activity } = makeTree(server);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(server.requests).toBe(0);

    show(true);
    const [web] = await draw(tree);
    await draw(tree, web!.node);
    show(false);
    const before = server.requests;
    activity.begin('web' as SandboxName, 'Stopping web').end();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(server.requests).toBe(before);
    expect(server.watchers).toBe(0);
  });

  it('draws one row again when one sandbox changes, and nothing when nothing would look different', async () => {
    const server = new FakeHost();
    server.put('db');
    server.put('web');
    const { tree, show, fired } = makeTree(server);
    show(true);
    await draw(tree);
    server.changed('web');
    await settled();
    server.tell({ kind: 'connected' });
    await settled();
    expect(fired).toEqual([]);

    server.put('web', 'stopped');
    server.changed('web');
    await settled();
    expect(fired).toEqual(['sandbox/web']);
  });

  it('keeps the same node for the same sandbox, so that it stays expanded and selected', async () => {
    const server = new FakeHost();
    server.put('web');
    const { tree, show, fired } = makeTree(server);
    show(true);
    const [before] = await draw(tree);
    server.put('db');
    server.changed('db');
    await settled();
    expect(fired).toEqual(['all']);
    const after = await draw(tree);
    expect(after.map(({ label }) => label)).toEqual(['db', 'web']);
    expect(after[1]!.node).toBe(before!.node);
  });

  it('shows checkpoints newest first, and draws them again when one is replaced by another', async () => {
    const server = new FakeHost();
    server.put('web', 'running', ['first', 'second']);
    const { tree, show, fired } = makeTree(server);
    show(true);
    const [web] = await draw(tree);
    expect((await draw(tree, web!.node)).map(({ label }) => label)).toEqual(['second', 'first']);
    server.labels.set('web', ['first', 'third']);
    server.tell({ kind: 'checkpoints-changed', name: 'web' as SandboxName });
    server.put('web', 'stopped', ['first', 'third']);
    server.changed('web');
    await settled();
    expect(fired).toEqual(['sandbox/web']);
  });

  it('shows what this window is making before the server lists it', async () => {
    const server = new FakeHost();
    const { tree, show, activity, fired } = makeTree(server);
    show(true);
    expect(await draw(tree)).toEqual([]);
    expect(told.contexts.get('pixels.welcome')).toBe('empty');
    const making = activity.begin('web' as SandboxName, 'Creating web');
    expect(fired).toEqual(['all']);
    expect(await draw(tree)).toMatchObject([{ label: 'web', description: 'Creating web' }]);
    expect(told.contexts.get('pixels.welcome')).toBe('none');
    making.report({ message: 'Downloading', fraction: 0.5 });
    expect(fired).toEqual(['all', 'sandbox/web']);
    making.end();
    expect(await draw(tree)).toEqual([]);
  });

  it('has a row for trouble, says above it what is wrong, and keeps showing what was known', async () => {
    const server = new FakeHost();
    server.put('web');
    const { tree, show, fired, view } = makeTree(server, { socket: '/run/x' });
    show(true);
    await draw(tree);
    server.tell({ kind: 'disconnected', error: new PixelsError('unreachable', 'It is gone.') });
    expect(fired).toEqual(['all']);
    const rows = await draw(tree);
    expect(rows).toMatchObject([{ label: 'Not connected' }, { label: 'web' }]);
    expect(view.message).toBe('It is gone.');
    server.tell({ kind: 'disconnected', error: new PixelsError('unreachable', 'It is gone.') });
    expect(fired).toEqual(['all']);
  });

  it('draws its rows again when it knows what the server cannot do, and after a connect that something has changed', async () => {
    const server = new FakeHost();
    server.put('web');
    server.lacks = { checkpoints: 'This server takes none.' };
    const { tree, show, fired } = makeTree(server);
    show(true);
    const [web] = await draw(tree);
    await settled();
    expect(fired).toEqual(['sandbox/web']);
    const tags = () => tree.getTreeItem(web!.node).contextValue;
    expect(tags()).toBe('sandbox;running;no-checkpoints');

    server.tell({ kind: 'connected' });
    await settled();
    expect(fired).toEqual(['sandbox/web']);
    server.lacks = {};
    server.tell({ kind: 'connected' });
    await settled();
    expect(tags()).toBe('sandbox;running');
  });

  it('welcomes a person whose server nobody has named and nobody finds', async () => {
    const server = new FakeHost();
    server.failure = new PixelsError('unreachable', 'No server.');
    const { tree, show } = makeTree(server);
    show(true);
    expect(await draw(tree)).toEqual([]);
    expect(told.contexts.get('pixels.welcome')).toBe('unconfigured');
  });

  it('has the recipe above the checkpoints, and draws only what a step changes', async () => {
    const server = new FakeHost();
    server.put('db', 'running', [], 'done');
    server.put('web', 'running', ['ready'], 'running');
    const { tree, show, fired } = makeTree(server);
    show(true);
    await settled();
    const [, web] = await draw(tree);
    expect((await draw(tree, web!.node)).map(({ label }) => label)).toEqual(['Recipe agent', 'ready']);
    fired.length = 0;

    const { say } = server.followed.get('web')!;
    say(inStep('Codex'));
    await settled();
    expect(fired).toEqual(['sandbox/web']); // and with it, by the editor, its children
    expect((await draw(tree))[1]).toMatchObject({ description: 'installing Codex, 1 of 2' });
    expect((await draw(tree, web!.node))[0]).toMatchObject({ label: 'Installing Codex', description: '1 of 2' });
    fired.length = 0;

    say(inStep('Codex', 'the npm registry'));
    await settled();
    expect(fired).toEqual(['recipe/web']);
  });

  it('has what a sandbox may reach above the checkpoints: groups, then its own list, then exceptions', async () => {
    const server = new FakeHost();
    server.put('db');
    server.put('web', 'running', ['ready']);
    const preset = agentPreset();
    const agent = denying(newPolicy('agent'), 'gist.github.com', preset);
    server.restrict('web', writePolicy(allowing(agent, 'example.org', preset)));
    const { tree, show } = makeTree(server);
    show(true);
    const [db, web] = await draw(tree);
    expect(await draw(tree, db!.node)).toEqual([]);
    await settled();
    const before = server.requests;
    const [egress, ready] = await draw(tree, web!.node);
    expect([egress, ready]).toMatchObject([{ label: 'Egress: agent' }, { label: 'ready' }]);
    expect(egress!.description).toBe(`8 of ${preset.length} groups · 1 domain · 1 denied`);
    const rows = await draw(tree, egress!.node);
    expect(server.requests).toBe(before + 1); // the checkpoints
    expect(rows.map(({ label }) => label)).toEqual([
      ...preset.map(({ title }) => title),
      'example.org',
      'gist.github.com',
    ]);
    expect(rows.find(({ label }) => label === 'Git hosting')!.description).toContain('github.com');
    expect(rows.at(-1)!.description).toBe('denied');
    expect(tree.getParent(rows[0]!.node)).toBe(egress!.node);
    expect(tree.getParent(egress!.node)).toBe(web!.node);
  });

  it('draws only what a change of the policy changes', async () => {
    const server = new FakeHost();
    server.put('web');
    const change = async (text: string) => {
      fired.length = 0;
      server.restrict('web', text);
      server.changed('web');
      await settled();
      return [...fired];
    };
    const { tree, show, fired } = makeTree(server);
    show(true);
    const [web] = await draw(tree);
    const own = (...domains: string[]) => writePolicy(newPolicy('allowlist', domains.map(parseEntry)));
    expect(await change(own())).toEqual(['sandbox/web']); // it has children now
    await draw(tree);
    const [egress] = await draw(tree, web!.node);
    expect(egress).toMatchObject({ label: 'Egress: allowlist', description: 'empty' });
    expect(await change(own('example.org'))).toEqual(['egress/web']);
    tree.getTreeItem(egress!.node);
    expect(await draw(tree, egress!.node)).toMatchObject([{ label: 'example.org' }]);
    expect(await change(own('example.net'))).toEqual(['egress/web']); // as many as before, but others
    expect(await draw(tree, egress!.node)).toMatchObject([{ label: 'example.net' }]);
    expect(await change(own('example.net'))).toEqual([]);
  });

  it('has what was refused first, counts what nobody has looked at, and asks only while it is visible', async () => {
    const server = new FakeHost();
    server.put('open');
    server.put('web');
    server.restrict('web', writePolicy(newPolicy('allowlist')));
    const { tree, show, refused, asked, view, expand, refusals } = makeTree(server);
    const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 12, 0, seconds));
    const nowhere = { address: undefined, protocol: undefined, port: undefined };
    refused.push({ name: 'two.example', ...nowhere, count: 3, last: at(20) });
    refused.push({ name: undefined, address: '192.0.2.1', protocol: 'tcp', port: 443, count: 1, last: at(10) });
    await settled();
    expect(asked).toEqual([]);
    show(true);
    const rows = await draw(tree);
    await settled();
    expect(asked).toEqual(['web']);
    expect(view.badge).toMatchObject({ value: 2, tooltip: '2 new refusals' });
    const [egress] = await draw(tree, rows[1]!.node);
    expect(egress).toMatchObject({ label: 'Egress: allowlist', description: 'empty · 2 refused' });
    const [group] = await draw(tree, egress!.node);
    expect(group).toMatchObject({ label: 'Refused (2)', description: '2 new' });
    const [one, two] = await draw(tree, group!.node);
    expect([one!.label, two!.label]).toEqual(['two.example', '192.0.2.1:443']);
    expect(one!.description).toMatch(/^3 times · /);
    expect(tree.getParent(one!.node)).toBe(group!.node);
    expect(tree.getParent(group!.node)).toBe(egress!.node);

    expand(group!.node);
    await settled();
    expect(view.badge).toBeUndefined();
    expect(await draw(tree, egress!.node)).toMatchObject([{ label: 'Refused (2)', description: '' }]);
    await refusals.ignore('web' as SandboxName, [(one!.node as { key: string }).key]);
    expect(await draw(tree, egress!.node)).toMatchObject([{ label: 'Refused (1)', description: '' }]);

    refused.push({ name: 'three.example', ...nowhere, count: 1, last: at(60) });
    server.restrict('web', writePolicy(allowing(newPolicy('allowlist'), '192.0.2.1', agentPreset())));
    server.changed('web');
    await settled();
    expect(refusals.of('web' as SandboxName).map(({ name }) => name)).toEqual(['three.example']); // the other is allowed now
    show(false);
    const before = asked.length;
    server.changed('web');
    await settled();
    expect(asked.length).toBe(before);
  });

  it('follows recipes only while it is visible', async () => {
    const server = new FakeHost();
    server.put('web', 'running', [], 'running');
    const { tree, show } = makeTree(server);
    await settled();
    expect(server.followed.size).toBe(0);
    show(true);
    await settled();
    await draw(tree);
    expect(server.followed.size).toBe(1);
    show(false);
    expect(server.followed.size).toBe(0);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(server.followed.size).toBe(0);
    show(true);
    await settled();
    expect(server.followed.size).toBe(1);
  });

  it('has a row for the bases while there are some, also for one that this window is making', async () => {
    const server = new FakeHost();
    server.put('web');
    const { tree, show, activity, fired } = makeTree(server);
    show(true);
    expect((await draw(tree)).map(({ label }) => label)).toEqual(['web']);
    const making = activity.begin('base-agent' as SandboxName, 'Building the base agent');
    expect(fired).toEqual(['all']);
    const rows = await draw(tree);
    expect(rows.map(({ label }) => label)).toEqual(['web', 'Bases']);
    expect(await draw(tree, rows[1]!.node)).toMatchObject([{ label: 'agent', description: 'Building the base agent' }]);
    fired.length = 0;
    making.report({ message: 'Building the base agent: installing Codex, 1 of 6' });
    await settled();
    expect(fired).toEqual(['base/agent']);
    making.end();
    expect((await draw(tree)).map(({ label }) => label)).toEqual(['web']);
  });

  it('finds out that a base is stale, and that it was built anew', async () => {
    const server = new FakeHost();
    const build = (hash: string) => {
      server.put('base-agent', 'stopped', ['ready']);
      const record = { name: 'agent', hash, recipe: 'agent', outcome: 'ready', since: Date.now() };
      const sandbox = { ...server.sandboxes.get('base-agent')!, state: { base: JSON.stringify(record) } };
      server.sandboxes.set('base-agent', sandbox);
    };
    build('old');
    const { tree, show, fired, hashes } = makeTree(server);
    hashes.set('agent', 'old');
    show(true);
    const [bases] = await draw(tree);
    expect(await draw(tree, bases!.node)).toMatchObject([{ description: 'complete · just now' }]);
    hashes.set('agent', 'new');
    await vi.advanceTimersByTimeAsync(15_000);
    server.tell({ kind: 'connected' });
    await settled();
    expect(fired).toEqual(['base/agent']);
    expect(await draw(tree, bases!.node)).toMatchObject([{ description: 'stale · just now' }]);
    build('new');
    server.changed('base-agent');
    await settled();
    expect(await draw(tree, bases!.node)).toMatchObject([{ description: 'complete · just now' }]);
  });

  it('connects again when it is shown again', async () => {
    const server = new FakeHost();
    server.put('web');
    const { tree, show } = makeTree(server);
    show(true);
    await draw(tree);
    show(false);
    server.put('web', 'stopped');
    show(true);
    await settled();
    expect((await draw(tree))[0]!.description).toBe('stopped');
    expect(server.watchers).toBe(1);
  });
});
