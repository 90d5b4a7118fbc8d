import fs from 'node:fs';
import { describe, expect, it, vi } from 'vitest';

vi.mock('vscode', () => import('./fakeVscode'));

const { COMMANDS, commandId, CONSOLE_PROFILE, SANDBOXES_VIEW, WELCOME_CONTEXT } =
  await import('../../../src/vscode/ids');
const { SETTING_IDS } = await import('../../../src/vscode/settings');

interface MenuItem {
  readonly command: string;
  readonly when: string;
  readonly group?: string;
}
interface Manifest {
  readonly contributes: {
    readonly commands: readonly { command: string; title: string; category: string }[];
    readonly views: Record<string, readonly { id: string; when?: string }[]>;
    readonly viewsWelcome: readonly { view: string; when: string; contents: string }[];
    readonly menus: Record<string, readonly MenuItem[]>;
    readonly configuration: {
      readonly properties: Record<string, { scope: string; order: number; markdownDescription: string }>;
    };
    readonly terminal: { readonly profiles: readonly { id: string }[] };
  };
}

const text = fs.readFileSync('package.json', 'utf8');
const manifest = JSON.parse(text) as Manifest;
const nls = JSON.parse(fs.readFileSync('package.nls.json', 'utf8')) as Record<string, string>;
const { commands, views, viewsWelcome, menus, configuration, terminal } = manifest.contributes;
const context = menus['view/item/context']!;

describe('package.json and the code', () => {
  it('know the same commands', () => {
    expect(commands.map(({ command }) => command).sort()).toEqual(COMMANDS.map(commandId).sort());
  });

  it('know the same settings, view, terminal profile and context key', () => {
    expect(Object.keys(configuration.properties).sort()).toEqual(SETTING_IDS.map((id) => `pixels.${id}`).sort());
    expect(views['pixels']!.map(({ id }) => id)).toEqual([SANDBOXES_VIEW]);
    expect(terminal.profiles.map(({ id }) => id)).toEqual([CONSOLE_PROFILE]);
    for (const { view, when } of viewsWelcome) {
      expect(view).toBe(SANDBOXES_VIEW);
      expect(when).toContain(`${WELCOME_CONTEXT} == `);
    }
  });
});

describe('package.json', () => {
  it('has every text in package.nls.json, and no text there is left over', () => {
    const used = [...text.matchAll(/"%([^%"]+)%"/g)].map(([, key]) => key!);
    expect(Object.keys(nls).sort()).toEqual([...new Set(used)].sort());
  });

  it('names every command alike: category Pixels, title case, nothing else', () => {
    for (const { title, category } of commands) {
      expect(category).toBe('Pixels');
      expect(nls[title.slice(1, -1)]).toMatch(/^[A-Z][A-Za-z]*( ([A-Z][A-Za-z]*|in|for|from|to))*…?$/);
    }
  });

  it('has at most 17 settings, which no workspace can set', () => {
    const settings = Object.values(configuration.properties);
    expect(settings.length).toBeLessThanOrEqual(17);
    for (const { scope } of settings) expect(scope).toBe('application');
    expect(settings.map(({ order }) => order)).toEqual(settings.map((_, index) => index));
  });

  it('shows its one view always', () => {
    expect(views['pixels']![0]).not.toHaveProperty('when');
  });

  it('names only commands that exist, in menus and welcome texts', () => {
    const known = COMMANDS.map(commandId);
    for (const item of Object.values(menus).flat()) expect(known).toContain(item.command);
    const linked = Object.values(nls).flatMap((value) =>
      [...value.matchAll(/\(command:([^)]+)\)/g)].map(([, id]) => id),
    );
    for (const id of linked) expect(known).toContain(id);
  });

  it.each(rows())('has at most three inline icons on a row %s', (tags) => {
    const inline = context.filter(({ when, group }) => group?.startsWith('inline') && matches(when, tags));
    expect(inline.length).toBeLessThanOrEqual(3);
    expect(new Set(inline.map(({ group }) => group)).size).toBe(inline.length);
  });

  it.each(rows())('puts what destroys last and alone on a row %s', (tags) => {
    const groups = context
      .filter(({ when }) => matches(when, tags))
      .map(({ command, group }) => ({ command, group: group! }));
    const destructive = groups.filter(({ command }) => /\.(destroy|deleteCheckpoint|deleteBase)$/.test(command));
    for (const { group } of destructive) {
      const others = groups.filter((item) => !destructive.includes(item) && !item.group.startsWith('inline'));
      for (const other of others) expect(other.group < group).toBe(true);
    }
  });

  it('offers to try a recipe again, and its log, where it failed: on its row at once, on the sandbox by right-click', () => {
    const offered = (tags: string, inline: boolean) =>
      context
        .filter(({ when, group }) => group?.startsWith('inline') === inline && matches(when, tags))
        .map(({ command }) => command);
    const both = ['pixels.retryProvisioning', 'pixels.showProvisioningLog'];
    expect(offered('recipe;running;provision-failed', true)).toEqual(both);
    expect(offered('recipe;running;provisioning', true)).toEqual(['pixels.showProvisioningLog']);
    expect(offered('recipe;stopped;provisioning', true)).toEqual([]);
    expect(offered('sandbox;running;provision-failed', false)).toEqual(expect.arrayContaining(both));
    expect(offered('sandbox;running', false)).not.toContain('pixels.showProvisioningLog');
    expect(offered('sandbox;running', false)).toContain('pixels.installRecipe');
  });

  it('offers for a base what suits how it stands, and nothing that is for sandboxes', () => {
    const offered = (tags: string) => [
      ...new Set(context.filter(({ when }) => matches(when, tags)).map(({ command }) => command)),
    ];
    expect(offered('bases')).toEqual(['pixels.buildBase']);
    for (const status of ['ready', 'stale', 'failed', 'interrupted'])
      expect(offered(`base;${status}`)).toEqual(['pixels.rebuildBase', 'pixels.deleteBase']);
    expect(offered('base;working')).toEqual(['pixels.cancelBaseBuild']);
    for (const status of ['building', 'deleting', 'foreign']) expect(offered(`base;${status}`)).toEqual([]);
  });

  it('offers for what a sandbox may reach what its mode has', () => {
    const offered = (tags: string) => [
      ...new Set(context.filter(({ when }) => matches(when, tags)).map(({ command }) => command.slice(7))),
    ];
    expect(offered('egress;agent').sort()).toEqual([
      'allowDomain',
      'chooseEgressGroups',
      'denyDomain',
      'setEgressMode',
    ]);
    expect(offered('egress;allowlist').sort()).toEqual(['allowDomain', 'denyDomain', 'setEgressMode']);
    for (const mode of ['unrestricted', 'unreadable']) expect(offered(`egress;${mode}`)).toEqual(['setEgressMode']);
    expect(offered('group;on')).toEqual(['switchGroupOff', 'chooseEgressGroups']);
    expect(offered('group;off')).toEqual(['switchGroupOn', 'chooseEgressGroups']);
    expect(offered('refused')).toEqual([]);
    expect(offered('refusal')).toEqual(['allowForOneHour', 'allowRefused', 'ignoreRefusal']);
    for (const kind of ['allowed', 'denied', 'timed']) expect(offered(`domain;${kind}`)).toEqual(['removeDomain']);
    expect(offered('sandbox;running')).toContain('setEgressMode');
    expect(offered('sandbox;running')).not.toContain('allowDomain');
    expect(offered('sandbox;running;egress')).toContain('allowDomain');
  });

  it('offers for several selected sandboxes what takes several, whatever they are doing: the editor leaves out what does not suit all', () => {
    for (const tags of ['sandbox;running', 'sandbox;stopped', 'sandbox;error']) {
      const offered = context.filter(({ when, group }) => !group?.startsWith('inline') && matches(when, tags, true));
      expect(offered.map(({ command }) => command).sort()).toEqual(['pixels.destroy', 'pixels.start', 'pixels.stop']);
    }
  });

  it.each(['sandbox;running', 'sandbox;stopped', 'checkpoint', 'checkpoint;safety'])(
    'offers on a row %s of a server without checkpoints all but what is done with them',
    (tags) => {
      const offered = (row: string) => context.filter(({ when }) => matches(when, row)).map(({ command }) => command);
      const withThem = offered(tags);
      const aboutThem = withThem.filter((command) => /Checkpoint$/.test(command));
      expect(aboutThem.length).toBeGreaterThan(0);
      expect(offered(`${tags};no-checkpoints`)).toEqual(withThem.filter((command) => !aboutThem.includes(command)));
    },
  );

  it('offers nothing that changes a sandbox which is being worked on', () => {
    const offered = context
      .filter(({ when }) => matches(when, 'sandbox;working;running'))
      .map(({ command }) => command);
    expect(offered).toEqual(['pixels.copySshCommand']);
  });
});

/** Context values as the rows give them. */
function rows(): string[] {
  const statuses = ['running', 'stopped', 'frozen', 'starting', 'error', 'running;unfinished', 'stopped;unfinished'];
  return [
    ...statuses.map((status) => `sandbox;${status}`),
    'sandbox;working',
    'sandbox;running;provisioning',
    'sandbox;running;provision-failed',
    'sandbox;stopped;provision-failed',
    'recipe;running;provisioning',
    'recipe;running;provision-failed',
    'recipe;running;provisioned',
    'checkpoint',
    'checkpoint;safety',
    'sandbox;running;egress',
    ...['agent', 'allowlist', 'unrestricted', 'unreadable'].map((mode) => `egress;${mode}`),
    'group;on',
    'group;off',
    'domain;allowed',
    'domain;denied',
    'sandbox;running;no-checkpoints',
    'checkpoint;no-checkpoints',
    'bases',
    ...['working', 'ready', 'stale', 'failed', 'building', 'interrupted', 'foreign'].map((status) => `base;${status}`),
    'trouble;config',
  ];
}

/** The few forms of `when` clauses that the menus use. */
function matches(when: string, viewItem: string, listMultiSelection = false): boolean {
  return when.split(' && ').every((term) => {
    if (term === 'view == pixels.sandboxes') return true;
    if (term === 'listMultiSelection') return listMultiSelection;
    if (term === '!listMultiSelection') return !listMultiSelection;
    const regex = /^(!\()?viewItem =~ \/(.+)\/\)?$/.exec(term);
    if (regex === null) throw new Error(`Not understood: ${term}`);
    return new RegExp(regex[2]!).test(viewItem) === (regex[1] === undefined);
  });
}
