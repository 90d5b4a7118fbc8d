import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/main';
import { Terminal } from '../../../src/cli/terminal';
import { fakeProcess } from './fakeProcess';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pixels-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function pixels(...args: string[]) {
  const fake = fakeProcess();
  const exitCode = await main(args, { process: fake, dist: folder });
  return { exitCode, ...fake.output };
}

describe('pixels', () => {
  it('prints its version', async () => {
    expect(await pixels('--version')).toEqual({ exitCode: 0, stdout: 'pixels 0.0.0-test\n', stderr: '' });
  });

  it('prints help on standard output when asked, on standard error otherwise', async () => {
    const asked = await pixels('--help');
    expect(asked).toMatchObject({ exitCode: 0, stderr: '' });
    const notAsked = await pixels();
    expect(notAsked).toMatchObject({ exitCode: 2, stdout: '' });
    expect(notAsked.stderr).toBe(asked.stdout);
  });

  it('is over only when a slow reader has taken everything', async () => {
    const fake = fakeProcess();
    let taken = '';
    const stdout = new Writable({
      highWaterMark: 1,
      write: (chunk: Buffer, _encoding, done) =>
        void setTimeout(() => {
          taken += chunk.toString();
          done();
        }, 50),
    });
    await main(['--version'], { process: { ...fake, stdout }, dist: folder });
    expect(taken).toBe('pixels 0.0.0-test\n');
  });

  it('exits with 2 for wrong usage, with a sentence and a hint', async () => {
    expect(await pixels('lisst')).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'pixels: "pixels" has no command "lisst".\nDid you mean "list"?\n',
    });
  });

  it.each([
    [['create', 'Web'], '"Web" has capital letters; use "web".'],
    [['create', ''], 'A sandbox needs a name, for example "web".'],
    [['create', 'a_b'], '"a_b" may only have the letters a to z, digits and hyphens.'],
    [['create', 'x'.repeat(61)], 'The name is 61 characters long; 60 is the most.'],
    [['create', 'web', '--from', 'a:b', '--image', 'c'], /--image, --from or --base/],
    [['create', 'web', '--base', 'dev', '--recipe', 'python'], /--base or --recipe/],
    [['create', 'web', '--base', 'dev', '--no-provision'], /--no-provision leaves out/],
    [['create', 'base-web'], '"base-web" is kept for a base: no sandbox\'s name begins with "base-".'],
    [['base', 'build', 'My Base'], '"My Base" cannot name a base.'],
    [['clone', 'web:', 'copy'], 'A checkpoint needs a label, for example "ready".'],
    [['cp', 'create', 'web', '--label', '../x'], /^"..\/x" may only have/],
    [['create', 'web', '--cpu', 'two'], '--cpu takes a whole number, not "two".'],
    [['create', 'web', '--memory', '1.5'], '--memory takes a whole number, not "1.5".'],
    [['create', 'web', '--console'], 'This needs a terminal for its input and output.'],
    [['ssh-config', '--install', '--remove'], 'Either --install or --remove.'],
  ])('refuses %j before it asks a server', async (args, sentence) => {
    const nowhere = ['--socket', path.join(folder, 'nothing.socket'), '--config', path.join(folder, 'none.toml')];
    const { exitCode, stdout, stderr } = await pixels(...args, ...nowhere);
    expect(stdout).toBe('');
    expect(stderr.replace(/^pixels: /, '').split('\n')[0]).toMatch(sentence);
    expect(exitCode).toBe(2);
  });

  it('exits with 1 when the configuration cannot be used, and says where', async () => {
    const file = path.join(folder, 'broken.toml');
    writeFileSync(file, '[defaults]\ncpu = "many"\n');
    const { exitCode, stderr } = await pixels('list', '--config', file);
    expect(stderr).toMatch(/broken\.toml:2: defaults\.cpu/);
    expect(exitCode).toBe(1);
  });

  it('says where there is no daemon, and exits with 1', async () => {
    const { exitCode, stdout, stderr } = await pixels(
      'list',
      '--json',
      '--socket',
      path.join(folder, 'nothing.socket'),
    );
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^pixels: .*nothing\.socket/);
    expect(exitCode).toBe(1);
  });
});

describe('a terminal', () => {
  it('shows progress in one line that is wiped before anything else', () => {
    const fake = fakeProcess({ tty: true, env: { NO_COLOR: '1' } });
    const terminal = new Terminal(fake);
    terminal.progress('Starting web…');
    terminal.progress('Setting up login…');
    terminal.say('done');
    expect(fake.output.stderr).toBe('\r\x1b[2KStarting web…\r\x1b[2KSetting up login…\r\x1b[2Kdone\n');
  });

  it('that is none gets a line for each step', () => {
    const fake = fakeProcess();
    new Terminal(fake).progress('Starting web…');
    expect(fake.output.stderr).toBe('Starting web…\n');
  });

  it.each([
    ['y\n', true],
    ['YES\n', true],
    ['\n', false],
    ['n\n', false],
  ])('takes %j as %s', async (typed, agreed) => {
    const fake = fakeProcess({ tty: true });
    const answer = new Terminal(fake).confirm('Really?', new AbortController().signal);
    setTimeout(() => fake.stdin.write(typed), 20);
    expect(await answer).toBe(agreed);
  });

  it('takes the end of the input, and Ctrl-C, as no', async () => {
    const ended = fakeProcess({ tty: true });
    const answer = new Terminal(ended).confirm('Really?', new AbortController().signal);
    setTimeout(() => ended.stdin.end(), 20);
    expect(await answer).toBe(false);
    expect(await new Terminal(fakeProcess({ tty: true })).confirm('Really?', AbortSignal.abort())).toBe(false);
  });
});
