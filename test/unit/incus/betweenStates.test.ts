import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod/mini';
import { IncusApi } from '../../../src/incus/api';
import { silentLog } from '../../../src/sandbox/log';

/** What Incus says while an instance is between two states. */
const TRIPPED = [
  "Invalid PID '\ufffd'",
  'Failed to retrieve network information: Failed to add device information for "/sys/class/net/eth0/device": no such device',
];

/** Answers the first two requests like that. */
async function trippingServer(): Promise<{ api: IncusApi; asked: string[] }> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pixels-incus-'));
  const socket = path.join(folder, 'socket');
  const asked: string[] = [];
  const server = http.createServer((request, response) => {
    asked.push(request.method ?? '');
    const refused = { type: 'error', error_code: 500, error: TRIPPED[asked.length % 2], metadata: null };
    response.end(JSON.stringify(asked.length <= 2 ? refused : { type: 'sync', metadata: 'there' }));
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const api = new IncusApi({ kind: 'unix', socket }, silentLog);
  onTestFinished(() => {
    api.close();
    server.close();
    fs.rmSync(folder, { recursive: true });
  });
  return { api, asked };
}

it('a question is asked again until an instance has a process, or has none', async () => {
  const { api, asked } = await trippingServer();
  expect(await api.read('/instances/px-web', z.string())).toBe('there');
  expect(asked).toEqual(['GET', 'GET', 'GET']);
});

it('an order is not given again', async () => {
  const { api, asked } = await trippingServer();
  await expect(api.request('PUT', '/instances/px-web/state', { body: {} })).rejects.toMatchObject({ kind: 'busy' });
  expect(asked).toEqual(['PUT']);
});

it('nobody waits who has cancelled', async () => {
  const { api, asked } = await trippingServer();
  const cancelling = new AbortController();
  const reading = api.read('/instances/px-web', z.string(), { signal: cancelling.signal });
  while (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  cancelling.abort();
  await expect(reading).rejects.toMatchObject({ kind: 'cancelled' });
});
