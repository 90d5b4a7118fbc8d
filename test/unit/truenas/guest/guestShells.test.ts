import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PixelsError } from '../../../../src/sandbox/errors';
import { silentLog } from '../../../../src/sandbox/log';
import { parseName } from '../../../../src/sandbox/name';
import { guestShells, type GuestShells, type OpenShell, type StartedShell } from '../../../../src/truenas/guest';
import { uint32 } from '../../../../src/truenas/guest/frames';
import { FakeGuest } from './fakeGuest';

const web = parseName('web');
const request = { command: ['true'] };
const resize = () => Promise.resolve();

describe('shells in sandboxes', () => {
  let guests: FakeGuest[];
  /** What the next shells do; the last one over and over. */
  let behaviours: ((guest: FakeGuest, line: string) => void)[];
  let runsLine: boolean;
  let shells: GuestShells;
  const open: OpenShell = (_, { line }) => {
    const guest = new FakeGuest();
    const behave = behaviours[Math.min(guests.length, behaviours.length - 1)];
    guests.push(guest);
    behave?.(guest, line);
    return Promise.resolve<StartedShell>({ stream: guest.stream, resize, runsLine });
  };

  beforeEach(() => {
    vi.useFakeTimers();
    guests = [];
    behaviours = [dash];
    runsLine = false;
    shells = guestShells(open, silentLog);
  });
  afterEach(() => {
    shells.forget();
    vi.useRealTimers();
  });

  it('open once for all commands, and close half a minute after the last', async () => {
    const sessions = await Promise.all([shells.exec(web, request), shells.exec(web, request)]);
    expect(await Promise.all(sessions.map(({ exitCode }) => exitCode))).toEqual([0, 0]);
    await vi.advanceTimersByTimeAsync(29_000);
    await (
      await shells.exec(web, request)
    ).exitCode;
    expect(guests).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(29_000);
    expect(guests[0]!.types()).toBe('SSPSPP');
    await vi.advanceTimersByTimeAsync(2_500);
    expect(guests[0]!.types()).toBe('SSPSPPQ');
    expect(guests[0]!.stream.destroyed).toBe(true);
    await shells.exec(web, request);
    expect(guests).toHaveLength(2);
  });

  it('need nothing typed where the server runs lines', async () => {
    runsLine = true;
    behaviours = [succeeding];
    expect(await (await shells.exec(web, request)).exitCode).toBe(0);
    expect(guests[0]!.typed).not.toContain('exec perl');
  });

  it('are typed into in lines that a terminal takes', async () => {
    const session = await shells.exec(web, request);
    await session.exitCode;
    const [line = '', script = ''] = guests[0]!.typed.split(/(?<=^.*\n)/);
    expect(line.length).toBeLessThan(4096);
    expect(line).toContain(`length $script < ${Buffer.byteLength(script)};`);
  });

  it('are tried again when the sandbox is not ready yet', async () => {
    behaviours = [gone, gone, dash];
    const session = shells.exec(web, request);
    await vi.advanceTimersByTimeAsync(500);
    expect(await (await session).exitCode).toBe(0);
    expect(guests).toHaveLength(3);
  });

  it('say why none can work, where that is found out only for one that ends early', async () => {
    behaviours = [gone];
    const reason = new PixelsError('wrong-state', 'web is not running.');
    const late: OpenShell = async (...asked) => ({
      ...(await open(...asked)),
      explain: () => Promise.reject(reason),
    });
    await expect(guestShells(late, silentLog).exec(web, request)).rejects.toBe(reason);
    expect(guests).toHaveLength(1);
  });

  it('are not tried for ever', async () => {
    behaviours = [gone];
    const failed = expect(shells.exec(web, request)).rejects.toMatchObject({ kind: 'unreachable' });
    await vi.advanceTimersByTimeAsync(6_000);
    await failed;
    expect(guests.length).toBeGreaterThan(20);
  });

  it('are given up when they say nothing', async () => {
    behaviours = [() => undefined];
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      const abort = new AbortController();
      setTimeout(() => abort.abort(), ms);
      return abort.signal;
    });
    const failed = expect(shells.exec(web, request)).rejects.toMatchObject({ kind: 'timeout' });
    await vi.advanceTimersByTimeAsync(15_000);
    await failed;
    expect(guests[0]!.stream.destroyed).toBe(true);
    timeout.mockRestore();
  });

  it('need perl', async () => {
    runsLine = true;
    behaviours = [(guest, line) => begin(guest, line, '-')];
    await expect(shells.exec(web, request)).rejects.toMatchObject({ kind: 'unsupported' });
  });

  it('are not opened against the server’s word, which is handed on', async () => {
    const refusal = new PixelsError('wrong-state', 'web is stopped.');
    const refused = guestShells(() => Promise.reject(refusal), silentLog);
    await expect(refused.exec(web, request)).rejects.toBe(refusal);
  });

  it('are opened for those who still wait when one has gone, and for nobody when all have', async () => {
    behaviours = [() => undefined];
    const [first, second] = [new AbortController(), new AbortController()];
    const cancelled = { kind: 'cancelled' };
    const firstGone = expect(shells.exec(web, request, first.signal)).rejects.toMatchObject(cancelled);
    const secondGone = expect(shells.exec(web, request, second.signal)).rejects.toMatchObject(cancelled);
    first.abort();
    await firstGone;
    expect(guests[0]!.stream.destroyed).toBe(false);
    second.abort();
    await secondGone;
    expect(guests[0]!.stream.destroyed).toBe(true);
    behaviours = [dash];
    expect(await (await shells.exec(web, request)).exitCode).toBe(0);
  });

  it('are not opened for somebody who has gone already', async () => {
    await expect(shells.exec(web, request, AbortSignal.abort())).rejects.toMatchObject({ kind: 'cancelled' });
    expect(guests).toEqual([]);
  });

  it('can be forgotten while they are opened, and while commands run', async () => {
    behaviours = [() => undefined, deaf];
    const opening = expect(shells.exec(web, request)).rejects.toMatchObject({ kind: 'unreachable' });
    await vi.advanceTimersByTimeAsync(0);
    shells.forget(web);
    await opening;
    const session = await shells.exec(web, request);
    shells.forget();
    await expect(session.exitCode).rejects.toMatchObject({ kind: 'unreachable' });
    await vi.advanceTimersByTimeAsync(0);
    expect(guests[1]!.types()).toBe('SQ');
  });
});

/** A shell that echoes and prompts, and a multiplexer in which everything succeeds. */
function dash(guest: FakeGuest): void {
  deaf(guest);
  succeed(guest);
}

/** The multiplexer without a shell. */
function succeeding(guest: FakeGuest, line: string): void {
  begin(guest, line, '+');
  succeed(guest);
}

function succeed(guest: FakeGuest): void {
  guest.onFrame = ({ type, channel }) => {
    if (type === 'S') guest.send('X', channel, uint32(0));
    if (type === 'P') guest.send('P', 0);
  };
}

/** A shell like {@link dash}, in which no command ends. */
function deaf(guest: FakeGuest): void {
  guest.say('WARNING: be careful\r\n# ');
  guest.onTyped = (line) => {
    guest.say(`${line}\r\n`);
    begin(guest, line, '+');
  };
}

function gone(guest: FakeGuest): void {
  guest.say('sh: not found\r\n');
  guest.hangUp();
}

/** What the line does: it says the word, and takes mux.pl. */
function begin(guest: FakeGuest, line: string, how: '+' | '-'): void {
  guest.onTyped = () => guest.beginFrames();
  guest.say(`${wordIn(line)}${how}`);
  if (how === '-') guest.hangUp();
}

function wordIn(text: string): string {
  return /([0-9a-f]{16}) ([0-9a-f]{16})/.exec(text)?.slice(1).join('') ?? '';
}
