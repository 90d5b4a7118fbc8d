import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { SandboxName } from '../../../src/sandbox/name';
import { SshIntegration } from '../../../src/ssh';
import { launcherFor, runtimeOf } from '../../../src/ssh/launcher';
import { entry, errorOf, KEY_A, makeBuild, makeHome, resolvedBySsh, snapshot } from './sandboxHome';

const TARGET = { kind: 'unix', socket: '/s' };

describe('sync', () => {
  it('writes everything that ssh needs, private', async () => {
    const { ssh } = makeHome();
    expect(await ssh.sync([entry('web')], TARGET)).toBe(true);
    const { directory, knownHosts, tunnelTarget, launcher, config } = ssh.paths;
    expect(fs.readdirSync(directory).sort()).toEqual(['config', 'known_hosts', 'program', 'tunnel', 'tunnel.json']);
    expect(fs.statSync(directory).mode & 0o777).toBe(0o700);
    for (const name of fs.readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
      const stat = fs.statSync(path.join(directory, name));
      expect(stat.mode & 0o777).toBe(stat.isDirectory() || name === 'tunnel' ? 0o700 : 0o600);
    }
    expect(fs.readFileSync(knownHosts, 'utf8')).toBe(`web.pixels ${KEY_A}\n`);
    expect(JSON.parse(fs.readFileSync(tunnelTarget, 'utf8'))).toEqual(TARGET);
    expect(resolvedBySsh(config, 'web.pixels')['proxycommand']).toBe(`${launcher} web`);
    expect(execFileSync(launcher, ['web'], { encoding: 'utf8' })).toBe('web');
  });

  it('writes only what differs', async () => {
    const { ssh } = makeHome();
    await ssh.sync([entry('web')], TARGET);
    const names = fs.readdirSync(ssh.paths.directory, { recursive: true, encoding: 'utf8' });
    const files = names.map((name) => path.join(ssh.paths.directory, name));
    const inodes = () => files.map((file) => fs.statSync(file).ino);
    const before = inodes();
    expect(await ssh.sync([entry('web')], TARGET)).toBe(false);
    expect(inodes()).toEqual(before);
    expect(await ssh.sync([entry('web'), entry('api')], TARGET)).toBe(true);
    expect(inodes().filter((inode, index) => inode !== before[index])).toHaveLength(2); // config and known_hosts
  });

  it('tells the tunnel which names sshd shall take, and keeps the names of secrets until somebody knows better', async () => {
    const { ssh } = makeHome();
    const environment = { names: ['TOKEN', 'PATH', 'LC_*'], values: { MODE: 'x' } };
    await ssh.sync([entry('web')], TARGET, { environment, secretNames: ['TOKEN', 'A_KEY'] });
    expect(JSON.parse(fs.readFileSync(ssh.paths.tunnelTarget, 'utf8'))).toEqual({
      ...TARGET,
      acceptEnv: ['MODE', 'TOKEN'],
    });
    expect(await ssh.secretNames()).toEqual(['A_KEY', 'TOKEN']);
    expect(fs.statSync(ssh.paths.secretNames).mode & 0o777).toBe(0o600);
    await ssh.sync([entry('web')], TARGET);
    expect(await ssh.secretNames()).toEqual(['A_KEY', 'TOKEN']);
    expect(JSON.parse(fs.readFileSync(ssh.paths.tunnelTarget, 'utf8'))).toEqual(TARGET);
    await ssh.sync([entry('web')], TARGET, { environment, secretNames: [] });
    expect(await ssh.secretNames()).toEqual([]);
    expect(fs.existsSync(ssh.paths.secretNames)).toBe(false);
  });

  it('mends a mode that OpenSSH would refuse', async () => {
    const { ssh, userConfig } = makeHome();
    await ssh.sync([entry('web')], TARGET);
    await ssh.applyInclude(await ssh.planInclude());
    fs.chmodSync(ssh.paths.config, 0o666);
    expect(() => resolvedBySsh(userConfig, 'web.pixels')).toThrow(/Bad owner or permissions/);
    await ssh.sync([entry('web')], TARGET);
    expect(resolvedBySsh(userConfig, 'web.pixels')['hostkeyalias']).toBe('web.pixels');
  });

  it('keeps the old configuration when OpenSSH refuses the new one', async () => {
    const { home, ssh } = makeHome();
    await ssh.sync([entry('web')], TARGET);
    const before = snapshot(ssh.paths.directory);
    // An ssh that refuses everything, as an old one would with an option that it does not know.
    const bin = path.join(home, 'bin');
    fs.mkdirSync(bin);
    fs.writeFileSync(
      path.join(bin, 'ssh'),
      '#!/bin/sh\necho "$3: line 7: Bad configuration option: x" >&2\nexit 255\n',
      { mode: 0o755 },
    );
    const PATH = process.env['PATH'];
    process.env['PATH'] = `${bin}:${PATH ?? ''}`;
    try {
      const error = await errorOf(ssh.sync([entry('web'), entry('api', { hostKey: undefined })], TARGET));
      expect(error.message).toBe(
        `OpenSSH does not accept ${ssh.paths.config}: ${ssh.paths.config}: line 7: Bad configuration option: x`,
      );
      expect(error.kind).toBe('config');
    } finally {
      process.env['PATH'] = PATH;
    }
    expect(snapshot(ssh.paths.directory)).toEqual(before);
  });

  it('refuses a home directory that cannot be written in an ssh configuration', async () => {
    const { ssh } = makeHome('pixels-"quoted"-');
    expect((await errorOf(ssh.sync([entry('web')], TARGET))).kind).toBe('unsupported');
  });

  it('by several at once never shows anybody half a file', async () => {
    const { home, ssh } = makeHome();
    const options = { home, build: path.join(home, 'build') };
    const lists = [1, 20, 40].map((count) => Array.from({ length: count }, (_, index) => entry(`s${index}`)));
    await ssh.sync(lists[0]!, TARGET);
    const whole = new Set<string>();
    const writers = lists.map(async (list) => {
      const own = new SshIntegration(options);
      for (let round = 0; round < 6; round++) await own.sync(list, TARGET);
    });
    let busy = true;
    const reader = (async () => {
      while (busy) {
        whole.add(fs.readFileSync(ssh.paths.config, 'utf8'));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    await Promise.all(writers);
    busy = false;
    await reader;
    for (const text of whole) expect([2, 21, 41]).toContain(text.match(/^Host /gm)?.length);
    for (const text of whole) expect(text).toMatch(/ServerAliveCountMax 4\n$/);
    expect(fs.readdirSync(ssh.paths.directory).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('takes away what a killed process left behind long ago', async () => {
    const { ssh } = makeHome();
    await ssh.sync([], TARGET);
    const [old, young] = ['.config.aa.tmp', '.config.bb.tmp'].map((name) => path.join(ssh.paths.directory, name));
    fs.writeFileSync(old!, '');
    fs.writeFileSync(young!, '');
    fs.utimesSync(old!, 0, 0);
    await ssh.sync([], TARGET);
    expect([fs.existsSync(old!), fs.existsSync(young!)]).toEqual([false, true]);
  });
});

describe('the tunnel’s modules', () => {
  it('are those of the newest build; what an earlier one left goes when nothing can be loading it any more', async () => {
    const { home, ssh } = makeHome();
    await ssh.sync([entry('web')], TARGET);
    const { launcher, tunnelProgram } = ssh.paths;
    const says = () => execFileSync(launcher, ['web'], { encoding: 'utf8' });
    const chunks = () => fs.readdirSync(path.join(tunnelProgram, 'chunks')).sort();
    expect(says()).toBe('web');
    makeBuild(home, '2');
    await ssh.sync([entry('web')], TARGET);
    expect(says()).toBe('web2');
    await ssh.sync([entry('web')], TARGET);
    expect(chunks()).toEqual(['say-.js', 'say-2.js']);
    for (const name of ['tunnel.js', 'chunks/say-.js', 'chunks/say-2.js'])
      fs.utimesSync(path.join(tunnelProgram, name), 0, 0);
    await ssh.sync([entry('web')], TARGET);
    expect(chunks()).toEqual(['say-2.js']);
    expect(says()).toBe('web2');
  });

  it('are there before what imports them, whatever stops the copying', async () => {
    const { home, ssh } = makeHome();
    await ssh.sync([entry('web')], TARGET);
    const build = makeBuild(home, '2');
    fs.rmSync(path.join(build, 'chunks', 'say-2.js'));
    await expect(ssh.sync([entry('web')], TARGET)).rejects.toThrow('ENOENT');
    expect(execFileSync(ssh.paths.launcher, ['web'], { encoding: 'utf8' })).toBe('web');
  });
});

describe('the launcher', () => {
  const node = { path: process.execPath, isElectron: false };
  const gone = { path: '/nowhere/node', isElectron: false };
  const editor = { path: '/bin/true', isElectron: true };

  function write(text: string): string {
    const { home } = makeHome("pixels it's ");
    const launcher = path.join(home, 'tunnel');
    fs.writeFileSync(launcher, text, { mode: 0o755 });
    fs.mkdirSync(path.join(home, 'program'));
    fs.writeFileSync(
      path.join(home, 'program', 'tunnel.js'),
      'const { NODE_OPTIONS, NODE_EXTRA_CA_CERTS, ELECTRON_RUN_AS_NODE } = process.env;' +
        'console.log(JSON.stringify([process.argv.slice(2), NODE_OPTIONS, NODE_EXTRA_CA_CERTS, ELECTRON_RUN_AS_NODE]))',
    );
    return launcher;
  }
  const run = (launcher: string, env: NodeJS.ProcessEnv = process.env) =>
    spawnSync(launcher, ['--unlisted', 'web.pixels'], { encoding: 'utf8', env });

  it('runs the recorded Node without what an editor’s terminal adds to it', () => {
    const env = { ...process.env, NODE_OPTIONS: '--require /nowhere.js', NODE_EXTRA_CA_CERTS: '/dev/null' };
    const arguments_ = ['--unlisted', 'web.pixels'];
    expect(JSON.parse(run(write(launcherFor(node, false)), env).stdout)).toEqual([arguments_, null, null, '1']);
    expect(JSON.parse(run(write(launcherFor(node, true)), env).stdout)).toEqual([arguments_, null, '/dev/null', '1']);
  });

  it('finds another Node when the recorded one is gone, or says so in one sentence', () => {
    const launcher = write(launcherFor(gone, false));
    expect(run(launcher).status).toBe(0);
    const bare = run(launcher, { PATH: '/nowhere' });
    expect(bare).toMatchObject({ status: 255, stdout: '' });
    expect(bare.stderr).toBe(
      'pixels: /nowhere/node is gone and there is no other Node; open Pixels once, or install Node.\n',
    );
  });

  it('keeps the runtime that it has, but prefers a plain Node to an editor, and anything to one that is gone', async () => {
    expect(await runtimeOf('/nowhere/tunnel', node)).toBe(node);
    expect(await runtimeOf(write(launcherFor(node, false)), editor)).toEqual(node);
    expect(await runtimeOf(write(launcherFor(editor, false)), node)).toEqual(node);
    expect(await runtimeOf(write(launcherFor(editor, false)), { ...editor, path: '/x' })).toEqual(editor);
    expect(await runtimeOf(write(launcherFor(gone, false)), editor)).toEqual(editor);
  });
});

describe('sshCommand', () => {
  it('names our file until the person’s configuration includes it', async () => {
    const { home } = makeHome('pixels home ');
    vi.spyOn(os, 'userInfo').mockReturnValue({ ...os.userInfo(), homedir: home });
    const ssh = new SshIntegration({ build: path.join(home, 'build') });
    vi.restoreAllMocks();
    const name = 'web' as SandboxName;
    await ssh.sync([entry('web')], TARGET);
    expect(await ssh.sshCommand(name)).toBe(`ssh -F '${ssh.paths.config}' web.pixels`);
    await ssh.applyInclude(await ssh.planInclude());
    expect(await ssh.sshCommand(name)).toBe('ssh web.pixels');
  });

  it('names our file when the configuration that includes it is not the one that ssh reads', async () => {
    const { home } = makeHome();
    const elsewhere = path.join(home, 'editor_config');
    const ssh = new SshIntegration({
      home,
      userConfigPath: elsewhere,
      build: path.join(home, 'build'),
    });
    await ssh.sync([entry('web')], TARGET);
    await ssh.applyInclude(await ssh.planInclude());
    expect(fs.readFileSync(elsewhere, 'utf8')).toMatch(/^Include /);
    expect(await ssh.sshCommand('web' as SandboxName)).toBe(`ssh -F ${ssh.paths.config} web.pixels`);
  });
});
