import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod/mini';
import { sentence } from '../../../../src/sandbox/errors';
import { probeServer } from '../../../../src/truenas/probe';
import { openSocket } from '../../../../src/truenas/socket';
import type { Trust } from '../../../../src/truenas/target';
import { selfSigned } from './certificates';
import { connect, failureOf, pause, startNas, targetOf } from './world';

const other = selfSigned();

describe('whom to trust', () => {
  it.each([
    ['the pinned certificate', (nas: Nas): Trust => ({ kind: 'pin', fingerprint256: nas.certificate.fingerprint256 })],
    ['its own authority', (nas: Nas): Trust => ({ kind: 'ca', pem: nas.certificate.cert })],
    ['anybody', (): Trust => ({ kind: 'insecure' })],
  ])('connects to %s', async (_, trust) => {
    const nas = (await startNas()).on('x', () => 'there');
    expect(await connect(nas, { target: { trust: trust(nas) } }).call('x', [], z.string())).toBe('there');
  });

  it.each([
    [
      'another pin',
      { kind: 'pin', fingerprint256: other.fingerprint256 },
      'another one than the one that was confirmed',
    ],
    ['no authority', { kind: 'system' }, 'not vouched for'],
    ['another authority', { kind: 'ca', pem: other.cert }, 'not vouched for'],
    ['an authority that is none', { kind: 'ca', pem: 'garbage' }, 'no PEM certificate'],
  ] satisfies [string, Trust, string][])('sends nothing with %s', async (_, trust, words) => {
    const nas = (await startNas()).on('x', () => 'there');
    const error = await failureOf(connect(nas, { target: { trust } }).call('x', [], z.string()), 'config');
    expect(error.message).toContain(words);
    expect(nas.upgrades).toEqual([]);
    expect(nas.requests).toEqual([]);
  });

  it('tells a certificate for another name from an unknown one', async () => {
    const elsewhere = selfSigned('DNS:elsewhere.lan');
    const nas = await startNas(elsewhere);
    const trust = { kind: 'ca', pem: elsewhere.cert } as const;
    const error = await failureOf(connect(nas, { target: { trust } }).call('x', [], z.string()), 'config');
    expect(error.message).toContain('is for another name');
  });

  it('connects by name too', async () => {
    const nas = (await startNas()).on('x', () => 'there');
    const target = { host: 'localhost', trust: { kind: 'ca', pem: nas.certificate.cert } } as const;
    expect(await connect(nas, { target }).call('x', [], z.string())).toBe('there');
  });
});

describe('an editor that replaces the agents of requests', () => {
  it('finds none to replace: requests go to a socket of ours', async () => {
    const nas = (await startNas()).on('x', () => 'there');
    const requests = vi.spyOn(http, 'request');
    const others = [vi.spyOn(https, 'request'), vi.spyOn(http, 'get'), vi.spyOn(https, 'get')];
    try {
      await probeServer('127.0.0.1', nas.port);
      await connect(nas).call('x', [], z.string());
      const given = requests.mock.calls.map(([options]) => options as unknown as http.RequestOptions);
      expect(given.map(({ socketPath }) => socketPath)).toEqual(['truenas', 'truenas']);
      others.forEach((other) => expect(other).not.toHaveBeenCalled());
    } finally {
      vi.restoreAllMocks();
    }
  });
});

type Nas = Awaited<ReturnType<typeof startNas>>;

describe('what is no TrueNAS', () => {
  const servers: net.Server[] = [];
  afterEach(() => servers.splice(0).forEach((server) => server.close()));

  /** A server without TLS, and everything that it was sent. */
  async function plainServer(greeting: string): Promise<{ port: number; received: Buffer[] }> {
    const received: Buffer[] = [];
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        received.push(data);
        socket.end(greeting);
      });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { port: (server.address() as AddressInfo).port, received };
  }

  it('never speaks HTTP to a server without TLS, not even with insecure trust', async () => {
    const nas = await startNas();
    const { port, received } = await plainServer('HTTP/1.1 400 Bad Request\r\n\r\n');
    const api = connect(nas, { target: { port, trust: { kind: 'insecure' } } });
    const error = await failureOf(api.call('x', [], z.string()), 'config');
    expect(error.message).toContain('does not speak TLS');
    expect(received.length).toBeGreaterThan(0);
    const TLS_HANDSHAKE = 22;
    expect(received[0]![0]).toBe(TLS_HANDSHAKE);
    expect(Buffer.concat(received).toString('latin1')).not.toMatch(/GET|api_key|auth/);
  });

  it('does not follow a redirect', async () => {
    const nas = await startNas();
    nas.upgradeStatus = 301;
    await failureOf(connect(nas).call('x', [], z.string()), 'unsupported');
    expect(nas.upgrades).toHaveLength(1);
  });

  it.each([
    [404, 'unsupported', 'no TrueNAS 25.04 or newer'],
    [200, 'unsupported', 'no TrueNAS 25.04 or newer'],
    [502, 'unreachable', 'not ready'],
  ] as const)('says what HTTP status %i instead of a WebSocket means', async (status, kind, words) => {
    const nas = await startNas();
    nas.upgradeStatus = status;
    expect((await failureOf(connect(nas).call('x', [], z.string()), kind)).message).toContain(words);
  });

  it('is let go of when it refuses the handshake of a WebSocket', async () => {
    const nas = await startNas();
    nas.upgradeStatus = 502;
    const { socket, opened } = await openSocket(targetOf(nas), '/api/current', { limitMs: 2_000 });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await failureOf(opened, 'unreachable');
    await closed;
  });

  it('says that nothing listens, or that nothing answers', async () => {
    const nas = await startNas();
    await nas.down();
    const error = await failureOf(connect(nas).call('x', [], z.string()), 'unreachable');
    expect(error.message).toContain('Nothing listens at 127.0.0.1');

    const mute = net.createServer((socket) => socket.on('error', () => undefined));
    servers.push(mute);
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const { port } = mute.address() as AddressInfo;
    const api = connect(nas, { target: { port }, timing: { connectLimitMs: 60 } });
    expect((await failureOf(api.call('x', [], z.string()), 'unreachable')).message).toContain('does not answer');
  });

  it('says that there is no such machine', async () => {
    const nas = await startNas();
    const api = connect(nas, { target: { host: 'there-is-no-such-host.invalid' }, timing: { connectLimitMs: 20_000 } });
    expect((await failureOf(api.call('x', [], z.string()), 'unreachable')).message).toContain('.invalid');
  }, 30_000);
});

describe('probeServer', () => {
  it('shows the certificate and the versions without logging in', async () => {
    const nas = await startNas();
    const probe = await probeServer('127.0.0.1', nas.port);
    expect(probe).toEqual({
      fingerprint256: nas.certificate.fingerprint256,
      subject: 'O=iXsystems, CN=localhost',
      validByCa: false,
      versions: ['v25.04.0', 'v25.10.5'],
    });
    expect(nas.gets).toEqual(['/api/versions']);
    expect(nas.upgrades).toEqual([]);
    const trust = { kind: 'pin', fingerprint256: probe.fingerprint256 } as const;
    nas.on('x', () => 'there');
    expect(await connect(nas, { target: { trust } }).call('x', [], z.string())).toBe('there');
  });

  it('bears a certificate that names nobody', async () => {
    const nas = await startNas(selfSigned('DNS:nas', '/'));
    expect(await probeServer('127.0.0.1', nas.port)).toMatchObject({ subject: '' });
  });

  it.each([
    [404, '["v25.04.0"]'],
    [200, '<html>Welcome</html>'],
    [200, '[]'],
    [200, '[1]'],
    [200, '{"v25.04.0":1}'],
    [200, '"v25.04.0"'],
    [301, ''],
    [200, ' '.repeat(200_000)],
  ])('takes no %i with %.20j for a TrueNAS', async (status, body) => {
    const nas = await startNas();
    nas.page = { status, body, headers: { Location: 'http://127.0.0.1:1/' } };
    const error = await failureOf(probeServer('127.0.0.1', nas.port), 'unsupported');
    expect(sentence(error)).toContain('no TrueNAS 25.04 or newer');
    expect(nas.gets).toHaveLength(1);
  });

  it('can be cancelled', async () => {
    const nas = await startNas();
    await failureOf(probeServer('127.0.0.1', nas.port, AbortSignal.abort()), 'cancelled');
    const stop = new AbortController();
    const probe = failureOf(probeServer('127.0.0.1', nas.port, stop.signal), 'cancelled');
    stop.abort();
    await probe;
    await pause(20);
  });
});
