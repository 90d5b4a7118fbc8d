import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { PixelsError } from '../sandbox/errors';
import type { Config } from './schema';

/** Where an Incus server is, with nothing secret in it: keys are named by their files. It may be written to a file. */
export type IncusServer =
  | { readonly kind: 'unix'; readonly socket: string; readonly project?: string; readonly imageServer?: string }
  | {
      readonly kind: 'https';
      readonly url: string;
      readonly clientCertFile: string;
      readonly clientKeyFile: string;
      readonly serverCertFile?: string;
      readonly project?: string;
      readonly imageServer?: string;
    };

/** What the Incus adapter connects with: the same, with the files' content. */
export type IncusConnectionData =
  | { readonly kind: 'unix'; readonly socket: string; readonly project?: string; readonly imageServer?: string }
  | {
      readonly kind: 'https';
      readonly url: string;
      readonly clientCertPem: string;
      readonly clientKeyPem: string;
      readonly serverCertPem?: string;
      readonly project?: string;
      readonly imageServer?: string;
    };

/** Incus moved its sockets to /run in 6.10; the user socket is for people who are not in the group incus-admin. */
const SOCKETS = [
  '/run/incus/unix.socket',
  '/var/lib/incus/unix.socket',
  '/run/incus/unix.socket.user',
  '/var/lib/incus/unix.socket.user',
];
const DEFAULT_SOCKET = '/var/lib/incus/unix.socket';
const DEFAULT_PORT = '8443';

/**
 * The configured server. Without `incus.socket` and `incus.remote` it is the first of Incus' usual sockets that lets us
 * in; without `incus.client_cert`, the key pair of the `incus` client is used.
 * @throws PixelsError `config` when the remote is no address.
 */
export async function incusServer(config: Config, sockets: readonly string[] = SOCKETS): Promise<IncusServer> {
  const { remote, socket, project, imageServer, clientCert, clientKey, serverCert } = config.incus;
  const common = { ...(project ? { project } : {}), ...(imageServer ? { imageServer } : {}) };
  if (remote === undefined) {
    return { kind: 'unix', socket: socket ?? (await firstWritable(sockets)) ?? DEFAULT_SOCKET, ...common };
  }
  const incusDirectory = path.join(os.homedir(), '.config', 'incus');
  return {
    kind: 'https',
    url: serverUrl(remote),
    clientCertFile: clientCert ?? path.join(incusDirectory, 'client.crt'),
    clientKeyFile: clientKey ?? path.join(incusDirectory, 'client.key'),
    ...(serverCert ? { serverCertFile: serverCert } : {}),
    ...common,
  };
}

/**
 * Reads the certificate and key files of a server.
 * @throws PixelsError `config` naming the key and the file, never its content.
 */
export async function readIncusServer(server: IncusServer): Promise<IncusConnectionData> {
  if (server.kind === 'unix') return server;
  const { clientCertFile, clientKeyFile, serverCertFile, ...rest } = server;
  const [clientCertPem, clientKeyPem, serverCertPem] = await Promise.all([
    readPem('client_cert', clientCertFile, 'CERTIFICATE'),
    readPem('client_key', clientKeyFile, 'PRIVATE KEY'),
    serverCertFile === undefined ? undefined : readPem('server_cert', serverCertFile, 'CERTIFICATE'),
  ]);
  return { ...rest, clientCertPem, clientKeyPem, ...(serverCertPem === undefined ? {} : { serverCertPem }) };
}

/**
 * The configured server with its certificates, as the Incus adapter takes it.
 * @throws PixelsError `config`.
 */
export async function incusConnection(config: Config): Promise<IncusConnectionData> {
  return readIncusServer(await incusServer(config));
}

async function firstWritable(sockets: readonly string[]): Promise<string | undefined> {
  for (const socket of sockets) {
    const writable = await fs.access(socket, constants.W_OK).then(
      () => true,
      () => false,
    );
    if (writable) return socket;
  }
  return undefined;
}

function serverUrl(remote: string): string {
  const hasScheme = /^[a-z]+:\/\//i.test(remote);
  const address = hasScheme ? remote : `https://${remote}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== 'https:') {
    throw new PixelsError('config', `incus.remote is no https address: "${remote}".`, {
      hint: 'It looks like "https://nas.lan:8443".',
    });
  }
  const hasPort = /:\d+\/?$/.test(remote);
  return `https://${url.hostname}:${hasPort ? url.port || '443' : DEFAULT_PORT}`;
}

async function readPem(key: string, file: string, label: string): Promise<string> {
  let pem: string;
  try {
    pem = await fs.readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? 'unknown error'})`;
    throw new PixelsError('config', `The file for incus.${key}, ${file}, ${why}.`, { cause: error });
  }
  if (!new RegExp(`-----BEGIN [A-Z ]*${label}-----`).test(pem)) {
    throw new PixelsError('config', `The file for incus.${key}, ${file}, is no PEM ${label.toLowerCase()}.`);
  }
  return pem;
}
