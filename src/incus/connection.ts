import http from 'node:http';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { PixelsError } from '../sandbox/errors';

/** Which Incus server, and which of its projects. Certificates and keys are PEM text. */
export type IncusConnection = {
  readonly project?: string | undefined;
  /** Where images come from that the server does not have: a simplestreams server. Default: Incus' public one. */
  readonly imageServer?: string | undefined;
} & (
  | { readonly kind: 'unix'; readonly socket: string }
  | {
      readonly kind: 'https';
      readonly url: string;
      readonly clientCertPem: string;
      readonly clientKeyPem: string;
      /** Exactly this certificate is accepted. Without it, whatever the machine's authorities vouch for. */
      readonly serverCertPem?: string | undefined;
    }
);

/** A dead peer is noticed by the kernel, so that a connection that waits needs no timer of ours. */
const TCP_KEEP_ALIVE_MS = 30_000;

/** Connections are kept for the next request of a burst, and let go when none comes: idle costs nothing. */
const KEPT: http.AgentOptions = { keepAlive: true, timeout: 10_000 };

/**
 * The agent that opens (and keeps alive) all connections to the server, whatever a request's own address says.
 * No I/O until the first request.
 * @throws PixelsError `config` when a certificate or key cannot be read.
 */
export function agentFor(connection: IncusConnection): http.Agent {
  if (connection.kind === 'unix') {
    return withConnections(new http.Agent(KEPT), () => net.connect(connection.socket));
  }
  const url = new URL(connection.url);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const pinned = connection.serverCertPem === undefined ? undefined : derOf(connection.serverCertPem);
  const options: tls.ConnectionOptions = {
    host,
    port: Number(url.port || 443),
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
    secureContext: secureContextOf(connection),
    ALPNProtocols: ['http/1.1'], // WebSockets are not spoken over HTTP/2
    rejectUnauthorized: pinned === undefined,
  };
  // An agent for http: it only keeps connections, and these are encrypted before it gets them.
  return withConnections(new http.Agent(KEPT), (ready) => {
    const socket = tls.connect(options);
    socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS).setNoDelay(true);
    // Nothing is sent before the server has shown that it is the pinned one.
    socket.once('secureConnect', () => {
      if (pinned === undefined || socket.getPeerX509Certificate()?.raw.equals(pinned) === true) ready(null, socket);
      else ready(new WrongCertificateError());
    });
    socket.once('error', ready);
    return undefined;
  });
}

/** The server is another one than the one that is pinned. */
export class WrongCertificateError extends Error {
  readonly code = 'WRONG_CERTIFICATE';
}

/** Where the server is, as a person reads it. */
export function placeOf(connection: IncusConnection): string {
  return connection.kind === 'unix' ? connection.socket : connection.url;
}

type Ready = (error: Error | null, socket?: Duplex) => void;

/** Node's agents ask this method for every new connection; a given socket or a later call of `ready` is the answer. */
function withConnections(agent: http.Agent, open: (ready: Ready) => Duplex | undefined): http.Agent {
  Object.assign(agent, { createConnection: (_: unknown, ready: Ready) => open(ready) });
  return agent;
}

function derOf(pem: string): Buffer {
  const base64 = /-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/.exec(pem)?.[1];
  if (base64 === undefined) throw new PixelsError('config', 'The pinned server certificate is no PEM certificate.');
  return Buffer.from(base64, 'base64');
}

function secureContextOf(connection: IncusConnection & { kind: 'https' }): tls.SecureContext {
  const { clientCertPem: cert, clientKeyPem: key, serverCertPem } = connection;
  const ca = serverCertPem === undefined ? machineAuthorities() : undefined;
  try {
    return tls.createSecureContext({ cert, key, ...(ca === undefined ? {} : { ca }) });
  } catch (error) {
    throw new PixelsError('config', 'The client certificate and key for Incus cannot be used together.', {
      hint: 'Check incus.client_cert and incus.client_key.',
      cause: error,
    });
  }
}

/** Node brings its own authorities; newer versions also tell the machine's, where a company's own is installed. */
function machineAuthorities(): string[] | undefined {
  const { getCACertificates } = tls as { getCACertificates?: (type: 'default' | 'system') => string[] };
  if (getCACertificates === undefined) return undefined;
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
}
