import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ExecSession } from '../../../../src/sandbox/host';
import { silentLog } from '../../../../src/sandbox/log';
import { uint32 } from '../../../../src/truenas/guest/frames';
import { Multiplexer } from '../../../../src/truenas/guest/multiplexer';
import { WINDOW_BYTES } from '../../../../src/truenas/guest/window';
import { FakeGuest, seeded, settled } from './fakeGuest';

describe('the multiplexer, whatever the sandbox sends', () => {
  let guest: FakeGuest;
  let multiplexer: Multiplexer;
  let changes: number;
  const start = (more = {}): ExecSession => multiplexer.start({ command: ['cmd'], ...more });

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    guest = new FakeGuest();
    guest.beginFrames();
    changes = 0;
    multiplexer = new Multiplexer(guest.stream, 'web', silentLog, () => changes++);
  });
  afterEach(() => {
    multiplexer.close();
    vi.useRealTimers();
  });

  it('says what to start as the sandbox unpacks it', async () => {
    start({ command: ['a', 'b c'], env: { X: 'ü=1' }, cwd: '/d', uid: 1, gid: 2, tty: { columns: 90, rows: 30 } });
    await settled();
    const [{ type, channel, payload }] = guest.frames as [(typeof guest.frames)[0]];
    expect([type, channel]).toEqual(['S', 1]);
    const expected = [
      uint32(WINDOW_BYTES), uint32(1), uint32(2), '\x01\x00\x1e\x00\x5a', uint32(2), '/d', uint32(2),
      uint32(19), 'TERM=xterm-256color', uint32(6), 'X=ü=1', uint32(1), 'a', uint32(3), 'b c',
    ]; // prettier-ignore
    expect(payload).toEqual(Buffer.concat(expected.map((part) => Buffer.from(part as string))));
  });

  it.each([
    ['no command', { command: [] }],
    ['a NUL in a word', { command: ['a\0b'] }],
    ['a NUL in a variable', { env: { A: 'b\0c' } }],
  ])('refuses %s', (_, request) => {
    expect(() => start(request)).toThrow(expect.objectContaining({ kind: 'invalid' }) as Error);
    expect(multiplexer.size).toBe(0);
  });

  it('does not start more than the sandbox can', () => {
    for (let count = 0; count < 250; count++) start();
    expect(() => start()).toThrow(expect.objectContaining({ kind: 'busy' }) as Error);
  });

  it('gives each command its own', async () => {
    const [first, second] = [start(), start()];
    guest.send('O', 2, 'two');
    guest.send('E', 1, 'one');
    guest.send('X', 1, uint32(0));
    guest.send('X', 2, uint32(7));
    expect(await text(first.stdout)).toBe('');
    expect(await text(first.stderr)).toBe('one');
    expect(await text(second.stdout)).toBe('two');
    expect([await first.exitCode, await second.exitCode]).toEqual([0, 7]);
    expect([multiplexer.size, changes]).toEqual([0, 2]);
  });

  it('does not fill the memory when the sandbox sends more than was granted', async () => {
    const session = start();
    const part = Buffer.alloc(32 * 1024);
    for (let sent = 0; sent < 3 * WINDOW_BYTES; sent += part.length) guest.send('O', 1, part);
    await expect(session.exitCode).rejects.toMatchObject({ kind: 'protocol' });
    expect(multiplexer.isOpen).toBe(false);
    expect(guest.stream.destroyed).toBe(true);
  });

  it('grants what was read, and no more', async () => {
    const session = start();
    const part = Buffer.alloc(32 * 1024);
    const granted = () =>
      guest.frames.filter(({ type }) => type === 'o').reduce((sum, { payload }) => sum + payload.readUInt32BE(), 0);
    for (let sent = 0; sent < WINDOW_BYTES; sent += part.length) guest.send('O', 1, part);
    await settled();
    const unread = granted();
    expect(unread).toBeLessThan(WINDOW_BYTES);
    for (let sent = 0; sent < unread; sent += part.length) guest.send('O', 1, part);
    await settled();
    expect(granted()).toBe(unread);
    session.stdout.resume();
    await settled();
    expect(granted()).toBe(WINDOW_BYTES + unread);
  });

  it('lets a command go on whose output nobody wants any more', async () => {
    const session = start();
    session.stdout.destroy();
    for (let round = 0; round < 100; round++) {
      guest.send('O', 1, Buffer.alloc(32 * 1024));
      await settled();
    }
    guest.send('X', 1, uint32(3));
    expect(await session.exitCode).toBe(3);
  });

  it('sends no more input than fits into the window', async () => {
    const session = start();
    session.stdin.write(Buffer.alloc(3 * WINDOW_BYTES));
    const sent = () =>
      guest.frames.filter(({ type }) => type === 'I').reduce((sum, { payload }) => sum + payload.length, 0);
    await settled();
    expect(sent()).toBe(WINDOW_BYTES);
    guest.send('i', 1, uint32(1000));
    await settled();
    expect(sent()).toBe(WINDOW_BYTES + 1000);
    guest.send('i', 1, uint32(WINDOW_BYTES + 1));
    await expect(session.exitCode).rejects.toMatchObject({ kind: 'protocol' });
  });

  it.each([
    ['output after its end', ['O', 1, ''], ['O', 1, 'more']],
    ['a command that was never started', ['O', 2, 'x']],
    ['no command at all', ['X', 0, uint32(0)]],
    ['an unknown type', ['Z', 1, '']],
    ['an exit code that there is not', ['X', 1, uint32(256)]],
    ['a number that is none', ['i', 1, 'xyz']],
  ] as [string, ...[string, number, string | Buffer][]][])('ends at %s', async (_, ...frames) => {
    const session = start();
    frames.forEach((sent) => guest.send(...sent));
    await expect(session.exitCode).rejects.toMatchObject({ kind: 'protocol' });
    expect(await text(session.stdout)).toBe('');
    expect(session.stdin.destroyed).toBe(true);
    expect(() => start()).toThrow(expect.objectContaining({ kind: 'protocol' }) as Error);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('survives garbage (seed %i)', async (seed) => {
    const random = seeded(seed);
    const session = start();
    for (let round = 0; round < 200 && multiplexer.isOpen; round++) {
      const payload = Buffer.from(Array.from({ length: Math.floor(random() * 20) }, () => Math.floor(random() * 256)));
      if (random() < 0.05) guest.say(payload);
      else guest.send('OEiXPSQ\0'[Math.floor(random() * 8)]!, Math.floor(random() * 3), payload);
      await settled();
    }
    expect(multiplexer.isOpen).toBe(false);
    const ended = await session.exitCode.catch((error: unknown) => (error as { kind: string }).kind);
    expect(typeof ended === 'number' || ended === 'protocol').toBe(true);
  });

  it('drops what still comes for a command that is over', async () => {
    const abort = new AbortController();
    const session = multiplexer.start({ command: ['cmd'] }, abort.signal);
    abort.abort();
    await expect(session.exitCode).rejects.toMatchObject({ kind: 'cancelled' });
    await settled();
    expect(guest.types()).toBe('SH');
    guest.send('O', 1, 'late');
    guest.send('X', 1, uint32(129));
    await settled();
    expect(multiplexer.isOpen).toBe(true);
  });

  it('takes a hang-up for the end when the sandbox says nothing more', async () => {
    const session = start();
    session.close();
    await vi.advanceTimersByTimeAsync(4_000);
    expect(await session.exitCode).toBe(129);
    session.signal(9);
    session.resize(1, 1);
    expect(guest.types()).toBe('SH');
  });

  it('notices a sandbox that does not answer any more', async () => {
    const session = start();
    guest.onFrame = ({ type }) => type === 'P' && guest.send('P', 0);
    await vi.advanceTimersByTimeAsync(300_000);
    expect(multiplexer.isOpen).toBe(true);
    guest.onFrame = () => undefined;
    await vi.advanceTimersByTimeAsync(75_000);
    await expect(session.exitCode).rejects.toMatchObject({ kind: 'unreachable' });
  });

  it('ends with the terminal', async () => {
    const session = start();
    guest.hangUp();
    await expect(session.exitCode).rejects.toMatchObject({ kind: 'unreachable' });
    const late = new Multiplexer(guest.stream, 'web', silentLog, () => undefined);
    expect(late.isOpen).toBe(false);
  });
});
