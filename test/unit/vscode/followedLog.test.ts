import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PixelsError } from '../../../src/sandbox/errors';
import type { ExecSession, SandboxHost } from '../../../src/sandbox/host';
import type { SandboxName } from '../../../src/sandbox/name';
import { FollowedLog } from '../../../src/vscode/provisioningLog/followedLog';

interface Session {
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
  readonly signal: AbortSignal;
  end(exitCode: number): void;
  fail(error: Error): void;
}

let sessions: Session[];
let changes: number;
let log: FollowedLog;

beforeEach(() => {
  vi.useFakeTimers();
  sessions = [];
  changes = 0;
  log = new FollowedLog('lab' as SandboxName, {
    lend: (work) => work({ exec } as unknown as SandboxHost),
    onDidChange: () => changes++,
    endWords: () => 'lab was stopped.',
  });
});
afterEach(() => {
  vi.useRealTimers();
});

const exec: SandboxHost['exec'] = (_, __, signal) => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const exitCode = new Promise<number>((resolve, reject) => {
    const end = (code: number) => {
      stdout.end();
      stderr.end();
      resolve(code);
    };
    sessions.push({ stdout, stderr, signal: signal!, end, fail: reject });
  });
  return Promise.resolve({ stdout, stderr, exitCode } as unknown as ExecSession);
};

const settled = () => vi.advanceTimersByTimeAsync(1000);

it('grows with what is printed, in batches', async () => {
  log.follow();
  await settled();
  for (const word of ['one\n', 'two\n', 'three\n']) sessions[0]!.stdout.write(word);
  await settled();
  expect(log.text).toBe('one\ntwo\nthree\n');
  expect(changes).toBe(1);
});

it('has one session at a time', async () => {
  log.follow();
  log.follow();
  await settled();
  expect(sessions).toHaveLength(1);
});

it('stays as it is while it is paused, and is read again from its beginning afterwards', async () => {
  log.follow();
  await settled();
  sessions[0]!.stdout.write('one\n');
  await settled();
  log.pause();
  expect(sessions[0]!.signal.aborted).toBe(true);
  sessions[0]!.stdout.write('late\n');
  sessions[0]!.end(129);
  await settled();
  expect(log.text).toBe('one\n');
  log.follow();
  await settled();
  expect(log.text).toBe('one\n');
  sessions[1]!.stdout.write('one\ntwo\n');
  await settled();
  expect(log.text).toBe('one\ntwo\n');
});

it('says that it has ended, and can go on later', async () => {
  log.follow();
  await settled();
  sessions[0]!.stdout.write('one\n');
  sessions[0]!.end(137);
  await settled();
  expect(log.text).toBe('one\n\nlab was stopped.\n');
  log.follow();
  await settled();
  expect(sessions).toHaveLength(2);
});

it('shows what the command says where there is no log, and why a connection broke', async () => {
  log.follow();
  await settled();
  sessions[0]!.stderr.write('No recipe was put in.\n');
  sessions[0]!.end(1);
  await settled();
  expect(log.text).toBe('No recipe was put in.\n');
  log.follow();
  await settled();
  sessions[1]!.fail(new PixelsError('unreachable', 'The server is gone.', { hint: 'Look for it.' }));
  await settled();
  expect(log.text).toBe('The server is gone. Look for it.\n');
});

it('shows colours, progress bars and characters that come in two parts as a person would see them at last', async () => {
  log.follow();
  await settled();
  const { stdout } = sessions[0]!;
  const euro = Buffer.from('€');
  stdout.write('\x1b[32mgreen\x1b[0m\r\n10 %\r50 %\r100 %\r\n');
  stdout.write(euro.subarray(0, 1));
  await settled();
  stdout.write(euro.subarray(1));
  await settled();
  expect(log.text).toBe('green\n100 %\n€');
});

it('keeps the end of a log that is very long, from the beginning of a line', async () => {
  log.follow();
  await settled();
  const line = `${'x'.repeat(99)}\n`;
  for (let part = 0; part < 20; part++) sessions[0]!.stdout.write(line.repeat(1000));
  sessions[0]!.stdout.write('the end\n');
  await settled();
  expect(log.text.length).toBeLessThan(600_000);
  expect(log.text).toMatch(/^x{99}\n/);
  expect(log.text).toMatch(/\nthe end\n$/);
});
