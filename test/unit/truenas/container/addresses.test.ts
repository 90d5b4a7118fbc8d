import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PixelsError } from '../../../../src/sandbox/errors';
import type { ExecSession } from '../../../../src/sandbox/host';
import { silentLog } from '../../../../src/sandbox/log';
import { parseName } from '../../../../src/sandbox/name';
import { Addresses, parseAddresses } from '../../../../src/truenas/container/addresses';
import { runningAs } from './fakeContainers';

const web = parseName('web');
const IP = '2: eth0    inet 10.0.0.7/24 metric 100 brd 10.0.0.255 scope global eth0\\       valid_lft forever';

describe('what a command inside says of addresses', () => {
  it('is read with IPv4 first, and of its own network interfaces only', () => {
    const output = [
      '2: eth0    inet6 fd42::7/64 scope global dynamic',
      IP,
      '3: docker0    inet 172.17.0.1/16 brd 172.17.255.255 scope global docker0',
      '4: eth1@if9    inet 10.1.0.7/24 scope global eth1',
      '2: eth0    inet6 fd42::8/64 scope global tentative',
      '2: eth0    inet6 fd42::9/64 scope global deprecated dynamic',
    ].join('\n');
    expect(parseAddresses(output)).toEqual(['10.0.0.7', '10.1.0.7', 'fd42::7']);
  });

  it('is taken as it is where the interfaces have other names, or none', () => {
    expect(parseAddresses('2: enp5s0    inet 10.0.0.7/24 scope global enp5s0\n')).toEqual(['10.0.0.7']);
    expect(parseAddresses('fd42::7 10.0.0.7 \n')).toEqual(['10.0.0.7', 'fd42::7']);
  });

  it('is none where there is none', () => {
    for (const output of ['', '\n', 'hostname: unknown option\n', '2: eth0    inet x/24 scope global']) {
      expect(parseAddresses(output)).toEqual([]);
    }
  });
});

describe('addresses of sandboxes on TrueNAS 26', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
  afterEach(() => void vi.useRealTimers());

  const running = { status: runningAs(7) };

  function inside(...answers: (string | PixelsError)[]) {
    const asked: unknown[] = [];
    const addresses = new Addresses(
      {
        exec: (_, { command }) => {
          asked.push(command);
          const answer = answers[Math.min(asked.length, answers.length) - 1]!;
          return typeof answer === 'string' ? Promise.resolve(session(answer)) : Promise.reject(answer);
        },
      },
      silentLog,
    );
    return { addresses, asked };
  }

  it('are asked for once by many at a time, and then known to a list', async () => {
    const { addresses, asked } = inside(IP);
    expect(addresses.of(web, running)).toEqual([]);
    const answers = await Promise.all([addresses.ask(web, running), addresses.ask(web, running)]);
    expect(answers).toEqual([['10.0.0.7'], ['10.0.0.7']]);
    expect(await addresses.ask(web, running)).toEqual(['10.0.0.7']);
    expect(addresses.of(web, running)).toEqual(['10.0.0.7']);
    expect(asked).toHaveLength(1);
  });

  it('are asked for again after a minute, and kept when nobody answers then', async () => {
    const { addresses, asked } = inside(IP, new PixelsError('timeout', 'late'), IP.replace('.0.7', '.0.8'));
    await addresses.ask(web, running);
    vi.advanceTimersByTime(61_000);
    expect(await addresses.ask(web, running)).toEqual(['10.0.0.7']);
    expect(await addresses.ask(web, running)).toEqual(['10.0.0.8']);
    expect(asked).toHaveLength(3);
  });

  it('are asked for again after another start, whoever started it', async () => {
    const { addresses, asked } = inside(IP);
    await addresses.ask(web, running);
    expect(addresses.of(web, { status: runningAs(8) })).toEqual([]);
    await addresses.ask(web, { status: runningAs(8) });
    expect(asked).toHaveLength(2);
  });

  it('are none, and not asked for, while it is stopped', async () => {
    const { addresses, asked } = inside(IP);
    await addresses.ask(web, running);
    const stopped = { status: { state: 'STOPPED', pid: null } };
    expect(await addresses.ask(web, stopped)).toEqual([]);
    expect(addresses.of(web, stopped)).toEqual([]);
    expect(asked).toHaveLength(1);
  });

  it('that it has not got yet are asked for each time; what cannot answer is not', async () => {
    const early = inside('', IP);
    expect(await early.addresses.ask(web, running)).toEqual([]);
    expect(await early.addresses.ask(web, running)).toEqual(['10.0.0.7']);
    const mute = inside(new PixelsError('unsupported', 'no perl'));
    await mute.addresses.ask(web, running);
    await mute.addresses.ask(web, running);
    expect(mute.asked).toHaveLength(1);
  });
});

function session(output: string): ExecSession {
  const stdout = new PassThrough();
  stdout.end(output);
  const stderr = new PassThrough();
  stderr.end();
  const nothing = (): void => undefined;
  const exitCode = Promise.resolve(0);
  return { stdin: new PassThrough(), stdout, stderr, exitCode, resize: nothing, signal: nothing, close: nothing };
}
