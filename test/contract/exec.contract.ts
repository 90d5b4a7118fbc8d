import { createHash, randomBytes } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { outputOf } from '../../src/sandbox/exec';
import type { ExecRequest, ExecSession } from '../../src/sandbox/host';
import { parseName } from '../../src/sandbox/name';
import { running, stopped, type Subject } from './sandboxHost.contract';
import { eventually, failure } from './support';

const MEGABYTE = 1_000_000;

export function execContract(subject: Subject): void {
  const tty = { columns: 90, rows: 30 };
  const run = (request: ExecRequest, input?: string) => outputOf(subject.host, running, request, undefined, input);
  const sh = (script: string, more: Partial<ExecRequest> = {}) => run({ command: ['sh', '-c', script], ...more });

  describe('exec without a terminal', () => {
    it('gives standard output, standard error and the exit code apart from each other', async () => {
      const result = await sh('echo out; echo err >&2; exit 7');
      expect(result).toEqual({ exitCode: 7, stdout: 'out\n', stderr: 'err\n' });
    });

    it('gives standard input to the command, and its end', async () => {
      expect(await run({ command: ['cat'] }, 'one\ntwo')).toEqual({ exitCode: 0, stdout: 'one\ntwo', stderr: '' });
    });

    it('passes arguments, environment, directory and user on as they are', async () => {
      const script = 'printf "%s|" "$1" "$VALUE" "$PWD" "$(id -u)" "$(id -g)"';
      const result = await run({
        command: ['sh', '-c', script, 'sh', `a b"c'$d\n`],
        env: { VALUE: 'ü = $x' },
        cwd: '/usr/share',
        uid: 1234,
        gid: 5678,
      });
      expect(result.stdout).toBe(`a b"c'$d\n|ü = $x|/usr/share|1234|5678|`);
    });

    it('carries 200 MB in and out again without changing a byte', async () => {
      const chunk = randomBytes(MEGABYTE);
      const sent = createHash('sha256');
      const received = createHash('sha256');
      const session = await subject.host.exec(running, { command: ['cat'] });
      const write = pipeline(function* () {
        for (let count = 0; count < 200; count++) {
          sent.update(chunk);
          yield chunk;
        }
      }, session.stdin);
      let size = 0;
      for await (const part of session.stdout) {
        received.update(part as Buffer);
        size += (part as Buffer).length;
      }
      await write;
      expect(await session.exitCode).toBe(0);
      expect(size).toBe(200 * MEGABYTE);
      expect(received.digest('hex')).toBe(sent.digest('hex'));
    });

    it('makes the command wait while nobody reads, instead of filling the memory', async () => {
      const session = await subject.host.exec(running, {
        command: ['head', '-c', String(400 * MEGABYTE), '/dev/zero'],
      });
      session.stdin.end();
      const before = process.memoryUsage.rss();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(process.memoryUsage.rss() - before).toBeLessThan(100 * MEGABYTE);
      let size = 0;
      for await (const part of session.stdout) size += (part as Buffer).length;
      expect(size).toBe(400 * MEGABYTE);
      expect(await session.exitCode).toBe(0);
    });

    it('makes the writer wait while the command does not read', async () => {
      const session = await subject.host.exec(running, { command: ['sleep', '60'] });
      let accepted = 0;
      const chunk = Buffer.alloc(MEGABYTE);
      while (accepted < 500 && session.stdin.write(chunk)) accepted++;
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(session.stdin.writableNeedDrain).toBe(true);
      session.signal(9);
      expect(await session.exitCode).toBe(137);
    });

    it('ends although its input goes on', async () => {
      const session = await subject.host.exec(running, { command: ['head', '-c', '3'] });
      const broken: unknown[] = [];
      session.stdin.on('error', (error) => broken.push(error));
      const feed = setInterval(() => session.stdin.write('more '), 2);
      const output = await textOf(session);
      expect(output).toBe('mor');
      expect(await session.exitCode).toBe(0);
      await new Promise((resolve) => setTimeout(resolve, 50));
      clearInterval(feed);
      expect(broken).toEqual([]);
    });

    it.each([
      [15, 143],
      [9, 137],
      [2, 130],
    ])('ends by signal %i with exit code %i', async (signal, exitCode) => {
      const session = await subject.host.exec(running, { command: ['sleep', '60'] });
      session.signal(signal);
      expect(await session.exitCode).toBe(exitCode);
    });

    it('lets the command handle a signal', async () => {
      const script = 'trap "echo caught; exit 3" USR1; echo ready; while :; do sleep 0.05; done';
      const session = await subject.host.exec(running, { command: ['sh', '-c', script] });
      session.stdout.once('data', () => session.signal(10));
      expect(await textOf(session)).toBe('ready\ncaught\n');
      expect(await session.exitCode).toBe(3);
    });

    it('lets the command go on when it has closed its output', async () => {
      expect(await sh('exec >&- 2>&-; sleep 0.5; exit 7')).toEqual({ exitCode: 7, stdout: '', stderr: '' });
    });

    it('reports a command that is not there, and one that is no program, as a shell does', async () => {
      const missing = await run({ command: ['no-such-command'] });
      expect(missing).toMatchObject({ exitCode: 127, stdout: '' });
      expect(missing.stderr).toContain('no-such-command');
      expect(await run({ command: ['/etc/passwd'] })).toMatchObject({ exitCode: 126, stdout: '' });
    });

    it('hangs up when it is closed', async () => {
      const session = await subject.host.exec(running, { command: ['sleep', '54321'] });
      await eventually(5_000, async () => ((await sh('pgrep -f "sleep 5432[1]"')).exitCode === 0 ? true : undefined));
      session.close();
      expect(await session.exitCode).toBeGreaterThan(128);
      expect((await sh('pgrep -f "sleep 5432[1]"')).exitCode).toBe(1);
    });

    it('hangs up when it is cancelled', async () => {
      const abort = new AbortController();
      const session = await subject.host.exec(running, { command: ['sleep', '54322'] }, abort.signal);
      await eventually(5_000, async () => ((await sh('pgrep -f "sleep 5432[2]"')).exitCode === 0 ? true : undefined));
      abort.abort();
      await failure(session.exitCode, 'cancelled');
      await eventually(3_000, async () => ((await sh('pgrep -f "sleep 5432[2]"')).exitCode === 1 ? true : undefined));
    });

    it('runs many commands at once', async () => {
      const numbers = Array.from({ length: 12 }, (_, index) => String(index));
      const results = await Promise.all(numbers.map((number) => run({ command: ['echo', number] })));
      expect(results.map(({ stdout }) => stdout.trim())).toEqual(numbers);
    });

    it('needs a sandbox that is there and runs', async () => {
      const command = ['true'];
      const error = await failure(subject.host.exec(stopped, { command }), 'wrong-state');
      expect(error.message).toContain(stopped);
      await failure(subject.host.exec(parseName('ct-nobody'), { command }), 'not-found');
      await failure(subject.host.exec(running, { command }, AbortSignal.abort()), 'cancelled');
    });

    it('breaks off when the connection is closed', async () => {
      const other = subject.connect();
      const session = await other.exec(running, { command: ['sleep', '60'] });
      await new Promise((resolve) => setTimeout(resolve, 100));
      other.close();
      await failure(session.exitCode, 'unreachable');
      expect(await textOf(session)).toBe('');
    });
  });

  describe('exec with a terminal', () => {
    it('is a terminal of the size that was asked for', async () => {
      const result = await sh('tty >/dev/null && stty size; echo err >&2; exit 5', { tty });
      expect(result).toEqual({ exitCode: 5, stdout: '30 90\r\nerr\r\n', stderr: '' });
    });

    it('follows when it is resized', async () => {
      const script = 'trap "stty size; exit" WINCH; echo ready; while :; do sleep 0.05; done';
      const session = await subject.host.exec(running, { command: ['sh', '-c', script], tty });
      session.stdout.once('data', () => session.resize(123, 45));
      expect(await textOf(session)).toBe('ready\r\n45 123\r\n');
      expect(await session.exitCode).toBe(0);
    });

    it('passes keys on', async () => {
      const session = await subject.host.exec(running, { command: ['sh'], tty, env: { PS1: '' } });
      session.stdin.write('stty -echo; read x; echo "got <$x>"; exit 4\n');
      const output = textOf(session);
      await new Promise((resolve) => setTimeout(resolve, 300));
      session.stdin.write('abc\n');
      expect(await output).toContain('got <abc>');
      expect(await session.exitCode).toBe(4);
    });

    it('interrupts at Ctrl-C and ends at the end of input', async () => {
      const interrupted = await subject.host.exec(running, { command: ['sh', '-c', 'echo ready; exec sleep 60'], tty });
      interrupted.stdout.once('data', () => interrupted.stdin.write('\x03'));
      expect(await interrupted.exitCode).toBe(130);
      const ended = await subject.host.exec(running, { command: ['cat'], tty });
      ended.stdin.end('line\n');
      expect(await textOf(ended)).toBe('line\r\nline\r\n');
      expect(await ended.exitCode).toBe(0);
    });

    it('hangs up when it is closed', async () => {
      const script =
        'trap "echo hup >/var/tmp/hup; exit" HUP; rm -f /var/tmp/hup; echo ready; while :; do sleep 0.05; done';
      const session = await subject.host.exec(running, { command: ['sh', '-c', script], tty });
      session.stdout.once('data', () => session.close());
      await session.exitCode;
      expect((await sh('cat /var/tmp/hup')).stdout).toBe('hup\n');
    });
  });
}

async function textOf(session: ExecSession): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of session.stdout) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
