import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectIncus } from '../../src/incus';
import { commandRequest, guestSetup, sessionVariables } from '../../src/provision';
import { NOTHING_TO_TELL, tellSurroundings } from '../../src/provision/surroundings';
import { outputOf } from '../../src/sandbox/exec';
import { Lifecycle } from '../../src/sandbox/lifecycle';
import { silentLog } from '../../src/sandbox/log';
import { parseName } from '../../src/sandbox/name';
import { makeAuthority } from '../support/authority';
import { endOf, PixelsCommand } from '../support/pixelsCommand';
import { trueNas } from '../support/servers';
import { makeTestProject, type TestProject } from '../support/testProject';
import { failure } from './support';

let project: TestProject;
let pixels: PixelsCommand;

/** What can be written to /etc/environment, in its oddest forms. */
const WRITABLE: Readonly<Record<string, string>> = {
  PLAIN: 'plain',
  EMPTY: '',
  BLANKS: '  two  words ',
  APOSTROPHE: "it's",
  ENDS: "the cats'",
  QUOTES: 'say "hi"',
  DOLLAR: '$HOME ${HOME} `id` $(id) @{HOME} %h',
  BACKSLASH: 'back\\slash \\n \\',
  EQUALS: '=a=b',
  SEMICOLON: ';a;',
  UMLAUT: 'größer ✓',
  TAB: 'a\tb',
  LONG: 'x'.repeat(7900),
  lower_case: 'yes',
  // Names that scripts of ours might use themselves.
  user: 'u',
  home: 'h',
  line: 'l',
  name: 'n',
};

beforeAll(async () => {
  project = await makeTestProject('pixels-env');
  pixels = new PixelsCommand(project);
  configure(`[env]\n${tomlOf(WRITABLE)}`);
  await pixels.must('create', 'box');
});

afterAll(async () => {
  pixels.remove();
  await project.remove();
});

function configure(toml: string): void {
  const file = path.join(pixels.home, '.config', 'pixels', 'config.toml');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, toml, { mode: 0o600 });
}

function tomlOf(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
    .join('\n');
}

/** What a script prints that the sandbox's user runs. */
function run(name: string, script: string): Promise<string> {
  return pixels.must('exec', name, '--', 'sh', '-c', script);
}

/** Empty for a process that has ended meanwhile. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** The variables that `env -0` printed. */
function variables(printed: string): Record<string, string> {
  return Object.fromEntries(
    printed
      .split('\0')
      .filter((variable) => variable.includes('='))
      .map((variable) => [variable.slice(0, variable.indexOf('=')), variable.slice(variable.indexOf('=') + 1)]),
  );
}

function ssh(alias: string, ...command: string[]) {
  const config = path.join(pixels.home, '.ssh/pixels/config');
  return pixels.program('ssh', '-F', config, '-o', 'BatchMode=yes', alias, '--', ...command);
}

describe('/etc/environment', () => {
  // The configuration's own `$NAME`s are the person's: a value with "$" gets into the file only from a variable.
  const expected = { ...WRITABLE };
  const nothing = () => {
    const file = path.join(pixels.home, 'nothing.toml');
    writeFileSync(file, '');
    return file;
  };

  beforeAll(async () => {
    const dollar = { DOLLAR: '$ODD' };
    pixels.env['ODD'] = WRITABLE['DOLLAR']!;
    configure(`[env]\n${tomlOf({ ...WRITABLE, ...dollar })}`);
    await pixels.must('start', 'box');
  });

  it.each([
    ['a command', async () => pixels.must('exec', '--config', nothing(), 'box', '--', 'env', '-0')],
    ['a login by SSH', async () => (await ssh('box.pixels', 'env', '-0')).stdout.toString()],
    ['sudo', async () => run('box', 'sudo env -0')],
    ['su', async () => run('box', 'sudo su pixel -c "env -0"')],
    [
      'a systemd unit',
      async () => run('box', 'sudo systemd-run -q --wait --pipe -p EnvironmentFile=/etc/environment env -0'),
    ],
  ])('gives %s every value as it is in the configuration', async (_, read) => {
    const found = variables(await read());
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, found[name]]))).toEqual(expected);
  });

  it('gives a login shell the same, over exec', async () => {
    expect(await pixels.must('exec', 'box', '--', 'sh', '-lc', 'echo "$APOSTROPHE"')).toBe("it's\n");
  });

  it('is nobody’s but root’s to write, and keeps what is not ours; what leaves the configuration leaves it', async () => {
    await run('box', `printf "OTHERS='stays'\\n# A comment\\nPLAIN='theirs'" | sudo tee -a /etc/environment`);
    configure('[env]\nPLAIN = "ours"\nKEPT = "new"\n');
    await pixels.must('start', 'box');
    const theirs = "OTHERS='stays'\n# A comment\nPLAIN='theirs'\n";
    const ours = "# BEGIN pixels\nPLAIN='ours'\nKEPT='new'\n# END pixels\n";
    expect(await run('box', 'cat /etc/environment')).toBe(theirs + ours);
    expect(await run('box', 'stat -c "%U %G %a" /etc/environment')).toBe('root root 644\n');
    expect((await ssh('box.pixels', 'echo $PLAIN $OTHERS $KEPT')).stdout.toString()).toBe('ours stays new\n');

    configure('');
    await pixels.must('start', 'box');
    expect(await run('box', 'cat /etc/environment')).toBe(theirs);
    expect(await run('box', 'sudo find /etc /usr/local -name "*pixels*"')).toBe('/etc/sudoers.d/pixels\n');
    expect(await run('box', 'sudo -n id -un')).toBe('root\n');
  });

  it('keeps all that follows when somebody took the end of our lines away', async () => {
    configure('[env]\nA = "1"\n');
    await pixels.must('start', 'box');
    await run(
      'box',
      `sudo sed -i '/END pixels/d' /etc/environment; echo "LAST='stays'" | sudo tee -a /etc/environment`,
    );
    configure('[env]\nA = "2"\n');
    await pixels.must('start', 'box');
    expect((await ssh('box.pixels', 'echo $A $LAST')).stdout.toString()).toBe('2 stays\n');
    await run('box', 'printf "" | sudo tee /etc/environment');
  });

  it('is not written again when it is as it should be, and asks the server for one command more', async () => {
    configure('[env]\nA = "1"\n');
    const commands = async () =>
      ((await pixels.run(['start', 'box', '--verbose'])).stderr.match(/POST \S+\/exec/g) ?? []).length;
    await commands();
    const inode = await run('box', 'stat -c %i /etc/environment');
    expect(await commands()).toBe(2);
    expect(await run('box', 'stat -c %i /etc/environment')).toBe(inode);
    configure('');
    await pixels.must('start', 'box');
    expect(await commands()).toBe(1);
  });

  it('refuses a value that it cannot have before anything is made', async () => {
    configure('[env]\nA = "two\\nlines"\n');
    const { exit, stderr } = await pixels.run(['create', 'never']);
    expect(exit).toBe(1);
    expect(stderr).toContain('env.A cannot be written to /etc/environment: it has a line break.');
    expect(await pixels.json('list')).toHaveLength(1);
    expect((await pixels.run(['start', 'box'])).stderr).toContain('env.A cannot be written');
  });

  it('in a clone is as the configuration is now; its source keeps its own', async () => {
    configure('[env]\nA = "then"\n');
    await pixels.must('start', 'box');
    configure('[env]\nA = "now"\n');
    await pixels.must('clone', 'box', 'copy');
    const read = ['--config', nothing(), '--', 'sh', '-c', 'echo $A'];
    expect(await pixels.must('exec', 'copy', ...read)).toBe('now\n');
    expect(await pixels.must('exec', 'box', ...read)).toBe('then\n');
    await pixels.must('destroy', 'copy');
  });

  it('is as the configuration is now after a restore', async () => {
    await pixels.must('cp', 'create', 'box', '--label', 'then');
    await pixels.must('cp', 'restore', 'box', 'then');
    expect(await pixels.must('exec', 'box', '--config', nothing(), '--', 'sh', '-c', 'echo $A')).toBe('now\n');
  });

  it('is replaced, not followed, where it is a link', async () => {
    await run('box', 'echo secret >victim; sudo rm /etc/environment; sudo ln -s $HOME/victim /etc/environment');
    await pixels.must('start', 'box');
    expect(await run('box', 'cat victim; test -L /etc/environment || cat /etc/environment')).toBe(
      "secret\n# BEGIN pixels\nA='now'\n# END pixels\n",
    );
  });

  it('is untouched when the connection breaks before all has been told', async () => {
    const host = connectIncus({ kind: 'unix', socket: project.socket, project: project.project }, { log: silentLog });
    const before = await run('box', 'cat /etc/environment; stat -c %i /etc/environment');
    const half = { ...NOTHING_TO_TELL, input: "e A='half'\n" };
    const error = await failure(tellSurroundings(host, parseName('box'), half), 'failed');
    expect(error.message).toBe('Inside box: the connection broke while its surroundings were told.');
    expect(await run('box', 'cat /etc/environment; stat -c %i /etc/environment; ls /etc/pixels')).toBe(
      `${before}surroundings\n`,
    );
    host.close();
  });
});

describe('through a TrueNAS', () => {
  it('a sandbox is told the same', async () => {
    const server = await trueNas('25.10.5')(project);
    const host = server.connect();
    const authority = makeAuthority();
    const file = path.join(pixels.home, 'authority.pem');
    writeFileSync(file, authority.pem);
    const surroundings = {
      environment: WRITABLE,
      acceptedNames: ['TOKEN'],
      authorityFiles: [file],
      dns: [],
      proxy: 'http://proxy.example:3128',
      noProxy: undefined,
    };
    const publicKey = readFileSync(path.join(pixels.home, '.ssh/pixels/id_ed25519.pub'), 'utf8').trim();
    const guest = guestSetup({
      user: 'pixel',
      publicKey: () => Promise.resolve(publicKey),
      surroundings: () => Promise.resolve(surroundings),
    });
    const lifecycle = new Lifecycle(host, guest);
    const name = parseName('nas');
    try {
      const source = { image: project.image, placement: {} };
      await lifecycle.create({ name, source, limits: {}, provision: true });
      const given = { plain: {}, secret: { TOKEN: "two\nlines, it's" } };
      const request = commandRequest('pixel', ['env', '-0'], await sessionVariables(host, name, given));
      const seen = await outputOf(host, name, request);
      expect(variables(seen.stdout)).toMatchObject({
        ...WRITABLE,
        TOKEN: "two\nlines, it's",
        https_proxy: surroundings.proxy,
        NODE_EXTRA_CA_CERTS: '/etc/pixels/authorities.pem',
      });
      const files = 'cat /etc/pixels/authorities.pem /etc/ssh/sshd_config.d/pixels.conf';
      const { stdout } = await outputOf(host, name, { command: ['sh', '-c', files] });
      expect(stdout).toBe(`${authority.pem}AcceptEnv TOKEN\n`);
      await lifecycle.destroy(name);
    } finally {
      authority.remove();
      host.close();
      await server.close();
    }
  });
});

describe('a value for sessions', () => {
  const marker = `m${randomBytes(16).toString('hex')}`;
  const typed = (command: string, keys: string) =>
    pixels.program('bash', '-c', `(${keys}) | script -qec '${command}' /dev/null`);

  beforeAll(async () => {
    configure('[env]\nEARLY = { value = "early", session_only = true }\n');
    await pixels.must('start', 'box');
    // A tmux server that has begun without what comes later.
    await typed('timeout --foreground 4 $PIXELS console box -s first', 'sleep 2');
    configure(
      `[env]\nTOKEN = { forward = true }\nFIXED = { value = "fixed ${marker}", session_only = true }\n` +
        'BEARER = { value = "Bearer $TOKEN", session_only = true }\nUNSET = { forward = true }\n',
    );
    pixels.env['TOKEN'] = `token ${marker}`;
    await pixels.must('start', 'box');
  });

  it('reaches a command and a login shell', async () => {
    expect(await run('box', 'echo "$TOKEN|$FIXED|$BEARER|${UNSET-none}"')).toBe(
      `token ${marker}|fixed ${marker}|Bearer token ${marker}|none\n`,
    );
    expect(await pixels.must('exec', 'box', '--', 'sh', '-lc', 'echo $TOKEN')).toBe(`token ${marker}\n`);
  });

  it.each([
    ['with tmux, whose server knows nothing of it', 'console box -s second'],
    ['without tmux', 'console box --no-persist'],
  ])('reaches a console %s', async (_, command) => {
    const { stdout } = await typed(
      `timeout --foreground 6 $PIXELS ${command}`,
      'sleep 2; echo "echo =\\$TOKEN="; sleep 2',
    );
    expect(stdout.toString()).toContain(`=token ${marker}=`);
  });

  it('is not on any disk of the sandbox', async () => {
    await ssh('box.pixels', `echo $TOKEN $FIXED >/dev/null`);
    // The pattern comes over standard input, so that it is in no command line either.
    const search = 'sudo find / -xdev -type f -print0 | sudo xargs -0 grep -lF -f /dev/shm/pattern || true';
    const lookup = async () => {
      await pixels.run(['exec', 'box', '--', 'sh', '-c', 'cat >/dev/shm/pattern'], { input: `${marker}\n` });
      return run('box', search);
    };
    expect(await lookup()).toBe('');
    await run('box', 'echo "$TOKEN" >control'); // the search does find what is there
    expect(await lookup()).toBe('/home/pixel/control\n');
    await run('box', 'rm control');
  });

  it('is in no command line and nowhere in the API, and nothing of the hand-over stays', async () => {
    const child = pixels.start(['exec', 'box', '--', 'sh', '-c', 'echo "$TOKEN"; exec sleep 3']);
    const printed = await new Promise((resolve) =>
      child.stdout!.once('data', (chunk: Buffer) => resolve(String(chunk))),
    );
    expect(printed).toBe(`token ${marker}\n`);
    const commandLines = readdirSync('/proc')
      .filter((pid) => /^\d+$/.test(pid))
      .map((pid) => readIfThere(`/proc/${pid}/cmdline`));
    expect(commandLines.some((line) => line.includes('sleep 3'))).toBe(true);
    expect(commandLines.filter((line) => line.includes(marker))).toEqual([]);
    const operations = JSON.stringify(await project.raw.must('GET', '/1.0/operations?recursion=1'));
    expect(operations).toContain('sleep 3');
    expect(operations).not.toContain(marker);
    expect(await run('box', 'sudo sh -c "ls -A /dev | grep pixels || echo none"')).toBe('none\n');
    child.stdin!.end();
    await endOf(child);
  });

  it('is in no message, however much is told', async () => {
    for (const args of [
      ['exec', 'box', '--', 'true'],
      ['start', 'box'],
      ['exec', 'nobody', '--', 'true'],
    ]) {
      const { stderr } = await pixels.run(['--verbose', ...args]);
      expect(stderr).toMatch(/ ms {2}incus /);
      expect(stderr).not.toContain(marker);
    }
  });
});
