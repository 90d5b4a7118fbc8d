import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { IncusApi } from '../../../src/incus/api';
import { exec } from '../../../src/incus/exec';
import { silentLog } from '../../../src/sandbox/log';
import { parseName } from '../../../src/sandbox/name';

const web = parseName('web');

/**
 * Incus' side of one command without a terminal: asks each stream whether the client is there, as Incus does, and ends when `end` is
 * called. `seen` is what came from the client.
 */
async function oneCommand() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pixels-incus-'));
  const socket = path.join(folder, 'socket');
  const seen: string[] = [];
  const streams = new Map<string, WebSocket>();
  let over: (() => void) | undefined;
  const metadata = { fds: { 0: '0', 1: '1', 2: '2', control: 'control' } };
  const operation = { id: 'op', status_code: 103, err: '', metadata };
  const server = http.createServer((request, response) => {
    const answer = (body: object) => response.end(JSON.stringify({ type: 'sync', ...body }));
    if (request.method === 'POST') answer({ type: 'async', metadata: operation });
    else over = () => answer({ metadata: { ...operation, status_code: 200, metadata: { return: 0 } } });
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (stream, { url }) => {
    const fd = new URL(url ?? '', 'http://incus').searchParams.get('secret') ?? '';
    streams.set(fd, stream);
    seen.push(`opened ${fd}`);
    stream.on('pong', () => seen.push(`pong ${fd}`));
    stream.on('message', (data: Buffer) => seen.push(`${fd}: ${data.toString()}`));
    stream.on('close', () => seen.push(`closed ${fd}`));
    stream.ping('keepalive');
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const api = new IncusApi({ kind: 'unix', socket }, silentLog);
  onTestFinished(() => {
    api.close();
    sockets.close();
    server.close();
    fs.rmSync(folder, { recursive: true });
  });
  const cancelling = new AbortController();
  const session = await exec(api, 'px-web', { name: web }, { command: ['true'] }, cancelling.signal);
  await expect.poll(() => streams.size).toBe(3);
  const print = (fd: string, data: string) => streams.get(fd)!.send(Buffer.from(data), { binary: true });
  const endOutput = (fd: string) => streams.get(fd)!.send('');
  await expect.poll(() => over).toBeDefined();
  return { session, cancelling, seen, print, endOutput, end: () => over!() };
}

it('answers no ping: the answer to a command that has ended would cost its output', async () => {
  const { session, seen, print, endOutput, end } = await oneCommand();
  print('1', 'all of it');
  endOutput('1');
  endOutput('2');
  end();
  let output = '';
  for await (const chunk of session.stdout) output += String(chunk);
  expect(output).toBe('all of it');
  expect(await session.exitCode).toBe(0);
  expect(seen.filter((what) => what.startsWith('pong'))).toEqual([]);
});

it('leaves a stream open that the command has closed: Incus would take that for the end of the client', async () => {
  const { session, seen, endOutput, end } = await oneCommand();
  endOutput('1');
  for await (const chunk of session.stdout) expect(chunk).toBeUndefined();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(seen.filter((what) => what.startsWith('closed'))).toEqual([]);
  endOutput('2');
  end();
  expect(await session.exitCode).toBe(0);
});

it('opens the stream for signals with the first one, and none after the end', async () => {
  const { session, seen, endOutput, end } = await oneCommand();
  expect(seen).not.toContain('opened control');
  session.signal(15);
  await expect.poll(() => seen).toContain('control: {"command":"signal","signal":15}');
  session.signal(2);
  await expect.poll(() => seen).toContain('control: {"command":"signal","signal":2}');
  endOutput('1');
  endOutput('2');
  end();
  expect(await session.exitCode).toBe(0);
  session.signal(15);
  expect(seen.filter((what) => what === 'opened control')).toHaveLength(1);
});

it('hangs up before it says that it was cancelled: the process may end then', async () => {
  const { session, cancelling, seen, end } = await oneCommand();
  cancelling.abort();
  await expect(session.exitCode).rejects.toMatchObject({ kind: 'cancelled' });
  await expect.poll(() => seen).toContain('control: {"command":"signal","signal":1}');
  expect(seen.filter((what) => what === 'closed 1')).toEqual([]);
  end();
  await expect.poll(() => seen).toContain('closed 1');
});
