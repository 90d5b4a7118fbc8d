import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import * as z from 'zod/mini';
import type { Shell } from '../../../../src/truenas/api';
import { sentence } from '../../../../src/sandbox/errors';
import { callError, type ScriptedNas } from './scriptedNas';
import { connect, failureOf, pause, startNas, until } from './world';

const TOKEN = 'k3J0tokentokentokentoken';
const options = { virt_instance_id: 'px-a', command: '/bin/sh' };

interface Terminal {
  readonly socket: WebSocket;
  readonly hello: unknown;
  readonly received: Buffer[];
}

/** A NAS whose shells say `answer`, then keep what they get; a text frame after that ends them, as on TrueNAS. */
async function nasWithShell(
  answer: unknown = { msg: 'connected', id: 'shell-1' },
): Promise<{ nas: ScriptedNas; terminals: Terminal[] }> {
  const nas = (await startNas()).on('auth.generate_token', () => TOKEN).on('core.resize_shell', () => null);
  const terminals: Terminal[] = [];
  nas.onShell = (socket) => {
    socket.once('message', (data: Buffer, isBinary) => {
      expect(isBinary).toBe(false);
      const terminal = { socket, hello: JSON.parse(data.toString()) as unknown, received: [] as Buffer[] };
      terminals.push(terminal);
      socket.on('message', (more: Buffer, binary) => {
        if (!binary) nas.violations.push('a text frame in a shell');
        terminal.received.push(more);
      });
      if (answer !== null) socket.send(typeof answer === 'string' ? answer : JSON.stringify(answer));
    });
  };
  return { nas, terminals };
}

async function read({ stream }: Shell): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe('shell()', () => {
  it('shows its token to the shell only, and carries bytes both ways', async () => {
    const { nas, terminals } = await nasWithShell();
    const shell = await connect(nas).shell(options);
    const terminal = terminals[0]!;
    expect(nas.upgrades).toEqual(['/api/current', '/websocket/shell']);
    expect(nas.requests.at(-1)).toMatchObject({ method: 'auth.generate_token', params: [300, {}, true, true] });
    expect(terminal.hello).toEqual({ token: TOKEN, options });
    shell.stream.write(Buffer.from([0, 255, 10]));
    shell.stream.write('é');
    await until(() => Buffer.concat(terminal.received).length === 5);
    terminal.socket.send(Buffer.from([0x65, 0xc3]), { binary: true });
    terminal.socket.send(Buffer.from([0xa9]), { binary: true });
    terminal.socket.close(1000);
    expect(await read(shell)).toBe('eé');
    await until(() => shell.stream.destroyed);
  });

  it('loses no byte that comes right behind the hello', async () => {
    const { nas } = await nasWithShell(null);
    const onShell = nas.onShell!;
    nas.onShell = (socket) => {
      onShell(socket);
      socket.once('message', () => {
        socket.send('{"msg":"connected","id":"shell-1"}');
        socket.send(Buffer.from('WARNING: '), { binary: true });
        socket.send(Buffer.from('bye'), { binary: true });
        socket.close(1000);
      });
    };
    expect(await read(await connect(nas).shell(options))).toBe('WARNING: bye');
  });

  it('resizes over the other connection', async () => {
    const { nas } = await nasWithShell();
    const shell = await connect(nas).shell(options);
    await shell.resize(120, 40);
    await shell.resize(0.5, 1e9);
    const sizes = nas.requests.filter(({ method }) => method === 'core.resize_shell').map(({ params }) => params);
    expect(sizes).toEqual([
      ['shell-1', 120, 40],
      ['shell-1', 1, 65_535],
    ]);
  });

  it('sends frames of at most 32 KiB', async () => {
    const { nas, terminals } = await nasWithShell();
    const shell = await connect(nas).shell(options);
    const bytes = Buffer.alloc(100_000, 'x');
    await new Promise((resolve) => shell.stream.write(bytes, resolve));
    const { received } = terminals[0]!;
    await until(() => Buffer.concat(received).length === bytes.length);
    expect(received.map(({ length }) => length)).toEqual([32_768, 32_768, 32_768, 1_696]);
  });

  it('lets the server wait for a slow reader, and loses nothing', async () => {
    const { nas, terminals } = await nasWithShell();
    const shell = await connect(nas).shell(options);
    const { socket } = terminals[0]!;
    const total = 64 * 1024 * 1024;
    const chunk = Buffer.alloc(64 * 1024, 'y');
    for (let sent = 0; sent < total; sent += chunk.length) socket.send(chunk, { binary: true });
    socket.close(1000);
    await pause(300);
    expect(socket.bufferedAmount).toBeGreaterThan(total / 2);
    expect(shell.stream.readableLength).toBeLessThan(2 * 1024 * 1024);
    let length = 0;
    for await (const part of shell.stream) length += (part as Buffer).length;
    expect(length).toBe(total);
  });

  it('makes a writer wait for a slow server', async () => {
    const { nas, terminals } = await nasWithShell();
    const shell = await connect(nas).shell(options);
    terminals[0]!.socket.pause();
    let written = 0;
    const chunk = Buffer.alloc(64 * 1024);
    while (shell.stream.write(chunk)) written += chunk.length;
    const waitFor = (ms: number): Promise<unknown> =>
      Promise.race([new Promise((resolve) => shell.stream.once('drain', () => resolve('drained'))), pause(ms)]);
    for (; written < 64 * 1024 * 1024 && (await waitFor(100)) === 'drained';) {
      while (shell.stream.write(chunk)) written += chunk.length;
    }
    expect(written).toBeLessThan(32 * 1024 * 1024);
  });

  it('hangs up when the stream is destroyed', async () => {
    const { nas, terminals } = await nasWithShell();
    const shell = await connect(nas).shell(options);
    const closed = new Promise<number>((resolve) => terminals[0]!.socket.once('close', resolve));
    shell.stream.destroy();
    expect(await closed).toBe(1005);
  });

  it('is hung up when the connection is closed for good', async () => {
    const { nas, terminals } = await nasWithShell();
    const api = connect(nas);
    await api.shell(options);
    const closed = new Promise((resolve) => terminals[0]!.socket.once('close', resolve));
    api.close();
    await closed;
  });

  it('goes on when the other connection breaks', async () => {
    const { nas, terminals } = await nasWithShell();
    const shell = await connect(nas).shell(options);
    nas.connection.socket.terminate();
    await pause(20);
    shell.stream.write('still');
    await until(() => terminals[0]!.received.length === 1);
    await shell.resize(80, 24);
    expect(nas.count('auth.login_ex')).toBe(2);
  });

  it('ends with an error when it breaks off, and drops what is written later', async () => {
    const { nas, terminals } = await nasWithShell();
    const shell = await connect(nas).shell(options);
    terminals[0]!.socket.terminate();
    await failureOf(read(shell), 'unreachable');
    const other = await connect(nas).shell(options);
    other.stream.resume();
    terminals[1]!.socket.close(1000);
    await until(() => other.stream.destroyed);
    other.stream.write('too late');
  });

  it.each([
    [{ msg: 'failed', error: { error: 207, reason: 'Invalid token' } }, 'forbidden', 'does not accept its own token'],
    [
      { msg: 'failed', error: { error: 13, reason: 'Web shell privilege not granted' } },
      'forbidden',
      'Web Shell Access',
    ],
    [
      { msg: 'failed', error: { error: 22, reason: 'vm_id cannot be combined' } },
      'invalid',
      'vm_id cannot be combined',
    ],
    [{ msg: 'failed', error: 'odd' }, 'failed', 'could not do that'],
    [{ msg: 'failed' }, 'failed', 'could not do that'],
    [{ msg: 'connected' }, 'protocol', 'no shell'],
    [{ msg: 'connected', id: 5 }, 'protocol', 'no shell'],
    ['no json', 'protocol', 'no shell'],
    ['null', 'protocol', 'no shell'],
  ] as const)('says what %j means', async (answer, kind, words) => {
    const { nas, terminals } = await nasWithShell(answer);
    const error = await failureOf(connect(nas).shell(options), kind);
    expect(sentence(error)).toContain(words);
    await until(() => terminals[0]!.socket.readyState === terminals[0]!.socket.CLOSED);
  });

  it('says that it was closed before it was open', async () => {
    const { nas } = await nasWithShell();
    nas.onShell = (socket) => void socket.once('message', () => socket.close());
    await failureOf(connect(nas).shell(options), 'failed');
    nas.onShell = (socket) => socket.close(1008);
    await failureOf(connect(nas).shell(options), 'forbidden');
    nas.onShell = (socket) => {
      socket.send(Buffer.from('x'), { binary: true });
    };
    await failureOf(connect(nas).shell(options), 'protocol');
  });

  it('fails as the token does, and can be cancelled', async () => {
    const { nas } = await nasWithShell(null);
    const api = connect(nas);
    await failureOf(api.shell(options, AbortSignal.abort()), 'cancelled');
    const stop = new AbortController();
    const cancelled = failureOf(api.shell(options, stop.signal), 'cancelled');
    await until(() => nas.upgrades.includes('/websocket/shell'));
    await pause(20);
    stop.abort();
    await cancelled;
    await failureOf(connect(nas, { timing: { callLimitMs: 100 } }).shell(options), 'timeout');
    nas.on('auth.generate_token', () => callError(13, 'EACCES', 'Not authorized'));
    await failureOf(api.shell(options), 'forbidden');
    expect(await api.call('core.ping', [], z.string())).toBe('pong');
  });
});
