import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { PixelsError } from '../../../src/sandbox/errors';
import type { ExecSession, SandboxHost } from '../../../src/sandbox/host';
import type { Mark } from '../../../src/sandbox/mark';
import type { SandboxName } from '../../../src/sandbox/name';
import { carry } from '../../../src/ssh/carry';
import { openSshdSession, type StartSandbox } from '../../../src/ssh/sshdSession';
import { errorOf } from './sandboxHome';

const name = 'web' as SandboxName;

function fakeSession() {
  let end: (code: number) => void = () => undefined;
  let breakOff: (error: Error) => void = () => undefined;
  const exitCode = new Promise<number>((resolve, reject) => ([end, breakOff] = [resolve, reject]));
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const session: ExecSession = {
    stdin,
    stdout,
    stderr: new PassThrough(),
    exitCode,
    resize: vi.fn(),
    signal: vi.fn(),
    close: () => close(),
  };
  const close = vi.fn(() => {
    stdout.destroy();
    breakOff(new PixelsError('unreachable', 'closed'));
  });
  return { session, stdin, stdout, end, close };
}

function streams() {
  return { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
}

describe('carry', () => {
  it('carries both ways, and returns the exit code when all has been said', async () => {
    const { session, stdin, stdout, end } = fakeSession();
    const local = streams();
    const done = carry(session, local);
    local.stdin.end('to the sandbox');
    stdout.end('from the sandbox');
    end(7);
    expect(await done).toBe(7);
    expect(String(stdin.read())).toBe('to the sandbox');
    expect(String(local.stdout.read())).toBe('from the sandbox');
  });

  it('does not read faster than the other side takes', async () => {
    const { session } = fakeSession();
    const local = streams();
    void carry(session, local).catch(() => undefined);
    let written = 0;
    const chunk = Buffer.alloc(16 * 1024);
    while (local.stdin.write(chunk) || local.stdin.writableLength < 64 * 1024) written += chunk.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(local.stdin.readableLength + local.stdin.writableLength).toBeGreaterThan(0);
    expect(written).toBeLessThan(2 ** 20);
    session.close();
  });

  it('hangs up when nobody reads any more', async () => {
    const { session, stdout, close } = fakeSession();
    const broken = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
    const done = carry(session, { ...streams(), stdout: broken });
    stdout.write('x');
    expect(await done).toBe(255);
    expect(close).toHaveBeenCalled();
  });

  it('waits for the other side after the end of input, but not for ever', async () => {
    vi.useFakeTimers();
    try {
      const { session, close } = fakeSession();
      const local = streams();
      const failed = errorOf(carry(session, local));
      local.stdin.end();
      await vi.advanceTimersByTimeAsync(1000);
      expect(close).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(5000);
      expect(close).toHaveBeenCalled();
      await failed;
    } finally {
      vi.useRealTimers();
    }
  });

  it('hangs up when it is told to', async () => {
    const { session, close } = fakeSession();
    const stop = new AbortController();
    const done = carry(session, streams(), stop.signal);
    stop.abort();
    expect(await done).toBe(255);
    expect(close).toHaveBeenCalledOnce();
  });

  it('then lets sshd end the login session by itself', async () => {
    const { session, stdin, stdout, end, close } = fakeSession();
    const stop = new AbortController();
    const done = carry(session, streams(), stop.signal);
    stdin.resume().once('end', () => {
      stdout.end();
      end(0);
    });
    stop.abort();
    expect(await done).toBe(255);
    expect(close).not.toHaveBeenCalled();
  });
});

describe('carry, when the connection to the server breaks', () => {
  it('says so', async () => {
    const { session, close } = fakeSession();
    const done = carry(session, streams());
    close();
    expect((await errorOf(done)).kind).toBe('unreachable');
  });
});

/** A server with one sandbox; only what openSshdSession asks. */
function fakeHost(state: { running: boolean; mark?: Mark | undefined }) {
  const calls: string[] = [];
  const host = {
    exec: () => {
      calls.push('exec');
      if (!state.running) return Promise.reject(new PixelsError('wrong-state', 'stopped'));
      return Promise.resolve(fakeSession().session);
    },
    get: () => {
      calls.push('get');
      return Promise.resolve({ mark: state.mark });
    },
    start: () => {
      calls.push('start');
      state.running = true;
      return Promise.resolve();
    },
  };
  return { calls, host: host as unknown as SandboxHost };
}

function mark(pid: number): Mark {
  return { action: 'restore', id: 'x', host: '', pid, since: Date.now() };
}

const start: StartSandbox = (host, sandbox, signal) => host.start(sandbox, { signal });

describe('openSshdSession', () => {
  it('asks a running sandbox nothing but the one exec', async () => {
    const { host, calls } = fakeHost({ running: true });
    await openSshdSession(host, name, { start });
    expect(calls).toEqual(['exec']);
  });

  it('starts a stopped one', async () => {
    const { host, calls } = fakeHost({ running: false });
    await openSshdSession(host, name, { start });
    expect(calls).toEqual(['exec', 'get', 'start', 'exec']);
  });

  it('does not start one in the middle of a restore, but waits until that has started it', async () => {
    const state = { running: false, mark: mark(1) };
    const { host, calls } = fakeHost(state);
    setTimeout(() => Object.assign(state, { running: true, mark: undefined }), 300);
    await openSshdSession(host, name, { start });
    expect(calls).not.toContain('start');
  });

  it('does not start one whose restore was interrupted, and says what to do', async () => {
    const interrupted: Mark = { ...mark(0), since: 0 };
    const { host, calls } = fakeHost({ running: false, mark: interrupted });
    const error = await errorOf(openSshdSession(host, name, { start }));
    expect(error).toMatchObject({ kind: 'wrong-state', message: 'A restore of web was interrupted.' });
    expect(calls).not.toContain('start');
  });
});
