import { createHash, X509Certificate } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import { cancelled, PixelsError } from '../sandbox/errors';
import { connectionError, NoAnswerError, WrongCertificateError } from './connectionError';
import { digestOf, placeOf, type Endpoint, type Trust } from './target';

export interface TlsOptions {
  /** How long the connection and the handshake may take together. */
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
  /** The IP address to connect to instead of asking for the host's again. */
  readonly address?: string | undefined;
}

/** A dead peer is noticed by the kernel, also on a connection that sends no pings. */
const TCP_KEEP_ALIVE_MS = 30_000;

/**
 * A TLS connection to a server that has shown the right certificate. No byte of ours but the handshake's was sent.
 * @throws PixelsError `config` for the wrong certificate or none that can be trusted; `unreachable`; `cancelled`.
 */
export function openTls(to: Endpoint & { trust: Trust }, options: TlsOptions): Promise<tls.TLSSocket> {
  const { limitMs, signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) throw cancelled();
    const socket = tls.connect(optionsFor(to, options.address));
    const giveUp = (): void => void socket.destroy(cancelled());
    const limit = setTimeout(() => socket.destroy(new NoAnswerError()), limitMs);
    const settle = (): void => {
      clearTimeout(limit);
      signal?.removeEventListener('abort', giveUp);
    };
    signal?.addEventListener('abort', giveUp);
    // Stays: between this promise and whoever takes the socket over, an error must not go unheard.
    socket.on('error', (error) => {
      settle();
      reject(connectionError(error, to));
    });
    socket.once('close', () => {
      settle();
      reject(connectionError(new Error('closed'), to));
    });
    socket.once('secureConnect', () => {
      settle();
      const wrong = wrongCertificate(socket, to.trust);
      if (wrong !== undefined) {
        socket.destroy(wrong);
        return;
      }
      socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS).setNoDelay(true);
      resolve(socket);
    });
  });
}

/**
 * A socket's path that our agent ignores. VS Code's extension host replaces the agent of every request that does not go
 * to a socket by one of its own (`http.proxySupport`), and that one does not know which certificate is trusted.
 */
export const OWN_CONNECTION = 'truenas';

/** An agent (for http: the connection is encrypted before it gets it) that has this one connection to give. */
export function agentFor(socket: tls.TLSSocket): http.Agent {
  return Object.assign(new http.Agent(), { createConnection: () => socket });
}

/** What every request says of itself: the real host, since the request itself only knows {@link OWN_CONNECTION}. */
export function headersFor(to: Endpoint): Readonly<Record<string, string>> {
  return { Host: placeOf(to) };
}

/**
 * The certificate that the server showed. Not by `getPeerX509Certificate`: Node takes the certificate out of the chain
 * there, and a second call finds the issuer's, or none.
 */
export function certificateOf(socket: tls.TLSSocket): X509Certificate {
  return new X509Certificate(socket.getPeerCertificate().raw);
}

/** SHA-256 of a certificate (DER), as 64 hexadecimal digits. */
function sha256Of(certificate: Buffer): string {
  return createHash('sha256').update(certificate).digest('hex');
}

/** What is wrong with the certificate where Node was told to take any. */
function wrongCertificate(socket: tls.TLSSocket, trust: Trust): Error | undefined {
  if (trust.kind !== 'pin') return undefined;
  try {
    const shown = sha256Of(socket.getPeerCertificate().raw);
    return shown === digestOf(trust.fingerprint256) ? undefined : new WrongCertificateError(shown);
  } catch (error) {
    return error as Error;
  }
}

function optionsFor({ host, port, trust }: Endpoint & { trust: Trust }, address = host): tls.ConnectionOptions {
  return {
    host: address,
    port,
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
    ...authoritiesFor(trust),
    ALPNProtocols: ['http/1.1'], // WebSockets are not spoken over HTTP/2
    rejectUnauthorized: trust.kind === 'system' || trust.kind === 'ca',
  };
}

function authoritiesFor(trust: Trust): { ca?: string[] } {
  if (trust.kind === 'pin') return {};
  const ca = trust.kind === 'ca' ? [authorityIn(trust.pem)] : machineAuthorities();
  return ca === undefined ? {} : { ca };
}

function authorityIn(pem: string): string {
  try {
    new X509Certificate(pem); // Node takes any text as an authority, and then trusts nobody
    return pem;
  } catch (error) {
    throw new PixelsError('config', "The file with TrueNAS' certificate authority is no PEM certificate.", {
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
