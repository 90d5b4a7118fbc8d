import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import * as esbuild from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IncludePlan, RemovalPlan, SshIntegration } from '../../../src/ssh';
import { entry, errorOf, makeHome, resolvedBySsh, snapshot } from './sandboxHome';

type Home = ReturnType<typeof makeHome>;

function homeWith(userConfig: string | Buffer, mode = 0o600, name?: string): Home {
  const home = makeHome(name);
  fs.mkdirSync(path.dirname(home.userConfig), { mode: 0o700 });
  fs.writeFileSync(home.userConfig, userConfig, { mode });
  return home;
}

async function add(ssh: SshIntegration): Promise<IncludePlan> {
  await ssh.sync([entry('web')]);
  const plan = await ssh.planInclude();
  await ssh.applyInclude(plan);
  return plan;
}

async function remove(ssh: SshIntegration): Promise<RemovalPlan> {
  const plan = await ssh.planRemoval();
  await ssh.applyRemoval(plan);
  return plan;
}

const CONFIGS: Record<string, string | Buffer> = {
  'an empty file': '',
  'one host': 'Host a\n  User b\n',
  'no final line break': 'Host a\n  User b',
  'only a comment without a line break': '# mine',
  'Windows line breaks': '# mine\r\nHost a\r\n  User b\r\n',
  'Windows line breaks but the last': 'Host a\r\n  User b',
  'blank lines at both ends': '\n\n\nHost a\n\n\n',
  'tabs, capitals and equals signs': 'HOST=a\n\tUSER = b\n\tIdentityFile="~/x y"\n',
  'a dollar and ampersand': 'Host a\n  IdentityFile /x/$&/$1/$$\n',
  'Latin-1 bytes that are no UTF-8': Buffer.from('# m\xfcller\nHost a\n  User b\n', 'latin1'),
  'UTF-8': '# Müller 🙂\nHost a\n',
  'another Include first': 'Include conf.d/*\nHost a\n',
  'a Match block': 'Match host a\n  User b\nHost *\n  User c\n',
};

describe('adding the Include and taking it out again', () => {
  for (const [what, content] of Object.entries(CONFIGS)) {
    it(`leaves ${what} byte for byte`, async () => {
      const { ssh, userConfig, home } = homeWith(content, 0o640);
      const plan = await add(ssh);
      expect(plan).toMatchObject({ kind: 'add', path: userConfig, before: Buffer.from(content).toString('utf8') });
      const changed = fs.readFileSync(userConfig);
      const firstLine = `Include ${home}/.ssh/pixels/config`;
      expect(changed.subarray(0, firstLine.length).toString()).toBe(firstLine);
      expect(changed.subarray(changed.length - Buffer.byteLength(content)).equals(Buffer.from(content))).toBe(true);
      expect(fs.statSync(userConfig).mode & 0o777).toBe(0o640);
      expect(resolvedBySsh(userConfig, 'web.pixels')['hostkeyalias']).toBe('web.pixels');
      expect(await ssh.planInclude()).toEqual({ kind: 'present', path: userConfig });

      expect(await remove(ssh)).toMatchObject({ kind: 'remove' });
      expect(fs.readFileSync(userConfig).equals(Buffer.from(content))).toBe(true);
      expect(fs.statSync(userConfig).mode & 0o777).toBe(0o640);
      expect(snapshot(path.dirname(userConfig))).toEqual({ config: Buffer.from(content).toString('latin1') });
    });
  }

  it('takes over the line breaks of the file', async () => {
    const { ssh, userConfig } = homeWith('Host a\r\n  User b\r\n');
    await add(ssh);
    expect(fs.readFileSync(userConfig, 'utf8')).toMatch(/^Include \S+\r\nHost a\r\n {2}User b\r\n$/);
  });

  it('makes the file when there is none, and deletes it again', async () => {
    const { ssh, userConfig, home } = makeHome();
    expect(await add(ssh)).toMatchObject({ kind: 'add', before: '' });
    expect(fs.readFileSync(userConfig, 'utf8')).toBe(`Include ${home}/.ssh/pixels/config\n`);
    expect(fs.statSync(userConfig).mode & 0o777).toBe(0o600);
    await remove(ssh);
    expect(fs.readdirSync(path.dirname(userConfig))).toEqual([]);
  });

  it('keeps a file that it made when something else has got into it', async () => {
    const { ssh, userConfig } = makeHome();
    await add(ssh);
    fs.appendFileSync(userConfig, 'Host a\n');
    await remove(ssh);
    expect(fs.readFileSync(userConfig, 'utf8')).toBe('Host a\n');
  });

  it.each(['with space', 'dollar$&$1', "quo'te", 'brack[et]s', 'stär*'])('works in a home called %s', async (odd) => {
    const { ssh, userConfig } = homeWith('Host a\n  User b\n', 0o600, `pixels ${odd} `);
    await add(ssh);
    expect(resolvedBySsh(userConfig, 'web.pixels')['hostkeyalias']).toBe('web.pixels');
    expect(await ssh.planInclude()).toMatchObject({ kind: 'present' });
    await remove(ssh);
    expect(fs.readFileSync(userConfig, 'utf8')).toBe('Host a\n  User b\n');
  });
});

describe('a file that is a link', () => {
  it('is written through', async () => {
    const { ssh, userConfig, home } = makeHome();
    const target = path.join(home, 'dotfiles', 'ssh_config');
    fs.mkdirSync(path.dirname(target));
    fs.writeFileSync(target, 'Host a\n');
    fs.mkdirSync(path.dirname(userConfig));
    fs.symlinkSync('../dotfiles/ssh_config', userConfig);
    await add(ssh);
    expect(fs.lstatSync(userConfig).isSymbolicLink()).toBe(true);
    expect(fs.readFileSync(target, 'utf8')).toMatch(/^Include .*\nHost a\n$/);
    await remove(ssh);
    expect(fs.readFileSync(target, 'utf8')).toBe('Host a\n');
    expect(fs.readdirSync(path.dirname(target))).toEqual(['ssh_config']);
  });

  it('to a file that does not exist yet makes that file', async () => {
    const { ssh, userConfig, home } = makeHome();
    fs.mkdirSync(path.dirname(userConfig));
    fs.symlinkSync(path.join(home, 'later'), userConfig);
    await add(ssh);
    expect(fs.readFileSync(path.join(home, 'later'), 'utf8')).toMatch(/^Include /);
    await remove(ssh);
    expect(fs.existsSync(path.join(home, 'later'))).toBe(false);
    expect(fs.lstatSync(userConfig).isSymbolicLink()).toBe(true);
  });

  it('to itself is refused', async () => {
    const { ssh, userConfig } = makeHome();
    fs.mkdirSync(path.dirname(userConfig));
    fs.symlinkSync(userConfig, userConfig);
    expect((await errorOf(ssh.planInclude())).kind).toBe('config');
  });
});

describe('an Include that is there already', () => {
  it.each([
    (own: string) => `Include ${own}\nHost a\n`,
    (own: string) => `# mine\n\ninclude="${own}"\nHost a\n`,
    (own: string) => `Include other.conf\nInclude ~/nothing ${own}\nHost a\n`,
    () => `Include ~/.ssh/pixels/config\nHost a\n`,
    () => `INCLUDE pixels/config\nHost a\n`,
  ])('is seen however it is written (%#)', async (text) => {
    const { ssh, userConfig } = makeHome();
    fs.mkdirSync(path.dirname(userConfig));
    fs.writeFileSync(userConfig, text(ssh.paths.config));
    expect(await ssh.planInclude()).toMatchObject({ kind: 'present' });
  });

  it.each([
    (line: string) => [`Host a\n  User b\n${line}\n`, `${line}\nHost a\n  User b\n`],
    (line: string) => [`ForwardAgent yes\n${line}\nHost a\n`, `${line}\nForwardAgent yes\nHost a\n`],
    (line: string) => [`Match all\n${line}\n${line}`, `${line}\nMatch all\n`],
    (line: string) => [`# ${line}\nHost a\n`, `${line}\n# ${line}\nHost a\n`],
  ])('is moved to the top when it stands where it does not count (%#)', async (texts) => {
    const { ssh, userConfig } = makeHome();
    const [before = '', after = ''] = texts(`Include ${ssh.paths.config}`);
    fs.mkdirSync(path.dirname(userConfig));
    fs.writeFileSync(userConfig, before);
    expect(await add(ssh)).toMatchObject({ kind: 'add', before, after });
    expect(fs.readFileSync(userConfig, 'utf8')).toBe(after);
  });
});

describe('what stops a change', () => {
  it('a file that somebody else changed after the plan', async () => {
    const { ssh, userConfig } = homeWith('Host a\n');
    await ssh.sync([entry('web')]);
    const plan = await ssh.planInclude();
    fs.appendFileSync(userConfig, 'Host b\n');
    expect((await errorOf(ssh.applyInclude(plan))).kind).toBe('busy');
    expect(fs.readFileSync(userConfig, 'utf8')).toBe('Host a\nHost b\n');
  });

  it.each([
    ['an unknown keyword', 'Host a\n  Usr b\n', 'Usr'],
    ['a byte order mark, which OpenSSH for Linux does not know', '\uFEFFHost a\n', 'line 1'],
  ])('%s, which OpenSSH would refuse', async (_, content, said) => {
    const { ssh, userConfig } = homeWith(content);
    await ssh.sync([entry('web')]);
    const before = snapshot(path.dirname(userConfig));
    const error = await errorOf(ssh.planInclude().then((plan) => ssh.applyInclude(plan)));
    expect(error.kind).toBe('config');
    expect(error.message.toLowerCase()).toContain(said.toLowerCase());
    expect(error.message).toContain(userConfig);
    expect(error.message).not.toContain('.tmp');
    expect(snapshot(path.dirname(userConfig))).toEqual(before);
  });

  it('a file that is something else', async () => {
    const { ssh, userConfig } = makeHome();
    fs.mkdirSync(userConfig, { recursive: true });
    expect((await errorOf(ssh.planInclude())).message).toBe(
      `${userConfig} cannot be read (EISDIR), so it is left alone.`,
    );
    expect((await errorOf(ssh.planRemoval())).kind).toBe('config');
  });
});

describe('a byte order mark', () => {
  it('stays at the beginning', async () => {
    const { ssh } = homeWith('\uFEFFHost a\r\n');
    expect(await ssh.planInclude()).toMatchObject({
      after: expect.stringMatching(/^\uFEFFInclude .*\r\nHost a\r\n$/) as string,
    });
  });
});

describe('the check by OpenSSH', () => {
  it('does not run the commands of a person’s Match exec lines', async () => {
    const { ssh, userConfig, home } = makeHome();
    const ran = path.join(home, 'ran');
    const included = path.join(home, 'included');
    fs.mkdirSync(path.dirname(userConfig));
    fs.writeFileSync(included, `Match exec "touch ${ran}"\n  User x\n`);
    fs.writeFileSync(userConfig, `Match exec "touch ${ran}"\n  User b\nHost never\n  Include ${included}\n`);
    await add(ssh);
    await remove(ssh);
    expect(fs.existsSync(ran)).toBe(false);
  });
});

/** Root may write everything, so these run as nobody, with the code bundled for a process of its own. */
describe('for somebody who may not write', () => {
  let bundle: string;
  let directory: string;
  beforeAll(async () => {
    directory = fs.mkdtempSync('/tmp/pixels-nobody-');
    fs.chmodSync(directory, 0o755);
    bundle = path.join(directory, 'ssh.mjs');
    await esbuild.build({
      entryPoints: ['src/ssh/index.ts'],
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: bundle,
      loader: { '.sh': 'text' },
    });
  });
  afterAll(() => fs.rmSync(directory, { recursive: true }));

  function asNobody(home: string, expression: string): unknown {
    const code = `const { SshIntegration } = await import(${JSON.stringify(bundle)});
const ssh = new SshIntegration({ home: ${JSON.stringify(home)}, build: 'unused' });
console.log(JSON.stringify(await (${expression}).catch((e) => ({ kind: e.kind, message: e.message }))));`;
    const drop = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--clear-groups', '--'] : [];
    const [program, ...args] = [...drop, process.execPath, '--input-type=module', '-e', code];
    return JSON.parse(execFileSync(program, args, { encoding: 'utf8', cwd: '/' }));
  }

  function nobodysHome(fileMode: number, directoryMode: number): string {
    const home = fs.mkdtempSync(path.join(directory, 'home-'));
    const config = path.join(home, '.ssh', 'config');
    fs.mkdirSync(path.dirname(config));
    fs.writeFileSync(config, 'Host a\n');
    if (process.getuid?.() === 0)
      for (const owned of [home, path.dirname(config), config]) fs.chownSync(owned, 65534, 65534);
    fs.chmodSync(config, fileMode);
    fs.chmodSync(path.dirname(config), directoryMode);
    return home;
  }

  it('a read-only file is left alone and the line to paste is told', () => {
    const home = nobodysHome(0o444, 0o700);
    const line = `Include ${home}/.ssh/pixels/config`;
    expect(asNobody(home, 'ssh.planInclude()')).toEqual({ kind: 'read-only', path: `${home}/.ssh/config`, line });
  });

  it('so is one in a read-only directory', () => {
    expect(asNobody(nobodysHome(0o600, 0o500), 'ssh.planInclude()')).toMatchObject({ kind: 'read-only' });
  });

  it('a file that cannot be read never counts as empty', () => {
    const home = nobodysHome(0o000, 0o700);
    const message = `${home}/.ssh/config cannot be read (EACCES), so it is left alone.`;
    expect(asNobody(home, 'ssh.planInclude()')).toEqual({ kind: 'config', message });
  });
});
