import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { incusServer, loadConfig, readIncusServer, type ConfigOverrides } from '../../../src/config';

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'pixels-server-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

async function serverFor(incus: ConfigOverrides['incus'], sockets?: string[]) {
  const { config } = await loadConfig({ env: { HOME: directory }, overrides: { incus } });
  return incusServer(config, sockets);
}

describe('incusServer', () => {
  it('is the configured socket, with the project', async () => {
    expect(await serverFor({ socket: '/s', project: 'p', imageServer: 'https://i' })).toEqual({
      kind: 'unix',
      socket: '/s',
      project: 'p',
      imageServer: 'https://i',
    });
  });

  it('is the first usual socket that lets us in, else the one that the error shall name', async () => {
    const there = path.join(directory, 'unix.socket.user');
    const server = net.createServer().listen(there);
    await new Promise((resolve) => server.once('listening', resolve));
    expect(await serverFor({}, [path.join(directory, 'unix.socket'), there])).toMatchObject({ socket: there });
    server.close();
    expect(await serverFor({}, [path.join(directory, 'x')])).toMatchObject({ socket: '/var/lib/incus/unix.socket' });
  });

  it.each([
    ['nas', 'https://nas:8443'],
    ['nas.lan:9000', 'https://nas.lan:9000'],
    ['https://nas', 'https://nas:8443'],
    ['https://nas:443', 'https://nas:443'],
    ['https://[fd00::1]:8443/', 'https://[fd00::1]:8443'],
    ['https://[fd00::1]', 'https://[fd00::1]:8443'],
  ])('understands the remote %s', async (remote, url) => {
    expect(await serverFor({ remote })).toMatchObject({ kind: 'https', url });
  });

  it.each(['http://nas:8443', 'nas:port', 'unix:///x'])('refuses the remote %s', async (remote) => {
    await expect(serverFor({ remote })).rejects.toMatchObject({ kind: 'config', hint: expect.any(String) as string });
  });
});

describe('readIncusServer', () => {
  const pem = (label: string) => `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`;
  const write = (name: string, content: string) => {
    const file = path.join(directory, name);
    fs.writeFileSync(file, content);
    return file;
  };

  it('reads the files of a remote', async () => {
    const clientCert = write('c.crt', pem('CERTIFICATE'));
    const clientKey = write('c.key', pem('EC PRIVATE KEY'));
    const server = await serverFor({ remote: 'nas', clientCert, clientKey, serverCert: clientCert, project: 'p' });
    expect(await readIncusServer(server)).toEqual({
      kind: 'https',
      url: 'https://nas:8443',
      clientCertPem: pem('CERTIFICATE'),
      clientKeyPem: pem('EC PRIVATE KEY'),
      serverCertPem: pem('CERTIFICATE'),
      project: 'p',
    });
  });

  it('names the key and the file that is missing or holds something else, and tells nothing of it', async () => {
    const clientCert = write('c.crt', pem('CERTIFICATE'));
    const missing = await serverFor({ remote: 'nas', clientCert, clientKey: path.join(directory, 'no.key') });
    await expect(readIncusServer(missing)).rejects.toMatchObject({
      kind: 'config',
      message: `The file for incus.client_key, ${directory}/no.key, does not exist.`,
    });
    const wrong = await serverFor({ remote: 'nas', clientCert, clientKey: write('w.key', 's3cret') });
    await expect(readIncusServer(wrong)).rejects.toMatchObject({
      message: `The file for incus.client_key, ${directory}/w.key, is no PEM private key.`,
    });
  });
});
