import { PixelsError } from '../sandbox/errors';
import { placeOf, type Endpoint } from './target';

/** No answer in time. */
export class NoAnswerError extends Error {
  readonly code = 'NO_ANSWER';
}

/** The server is another one than the one that is pinned. */
export class WrongCertificateError extends Error {
  readonly code = 'WRONG_CERTIFICATE';

  /** @param shown the fingerprint of what the server showed. */
  constructor(readonly shown: string) {
    super(`the server showed a certificate with the SHA-256 fingerprint ${shown}`);
  }
}

/** The handshake of a WebSocket was answered with this HTTP status instead. */
export class UpgradeRefusedError extends Error {
  readonly code = 'UPGRADE_REFUSED';

  constructor(readonly status: number) {
    super(`HTTP status ${status}`);
  }
}

/** Why the server cannot be reached, and what a person does about it. */
export function connectionError(error: unknown, endpoint: Endpoint): PixelsError {
  if (error instanceof PixelsError) return error;
  const place = placeOf(endpoint);
  const unreachable = (message: string, hint: string): PixelsError =>
    new PixelsError('unreachable', message, { hint, cause: error });
  const misconfigured = (message: string, hint: string): PixelsError =>
    new PixelsError('config', message, { hint, cause: error });

  if (error instanceof WrongCertificateError) {
    return misconfigured(
      `The certificate of ${place} is another one than the one that was confirmed. Nothing was sent to it.`,
      'If TrueNAS got a new certificate, connect again and confirm its fingerprint. If not, beware.',
    );
  }
  if (error instanceof UpgradeRefusedError) return upgradeError(error, place);
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code === 'NO_ANSWER') {
    return unreachable(
      `TrueNAS at ${place} does not answer.`,
      'Check the address and the network, and see whether it is on.',
    );
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return unreachable(`There is no machine named ${endpoint.host}.`, 'Check truenas.host, or give an IP address.');
  }
  if (code === 'ECONNREFUSED') {
    return unreachable(
      `Nothing listens at ${place}.`,
      'Check truenas.host and truenas.port, and whether TrueNAS has started.',
    );
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return misconfigured(
      `The certificate of ${place} is for another name.`,
      'Use the name in the certificate, or confirm its fingerprint once by connecting again.',
    );
  }
  if (/SELF_SIGNED|UNABLE_TO|CERT_/.test(code)) {
    return misconfigured(
      `The certificate of ${place} is not vouched for by anybody this machine trusts.`,
      'Confirm its fingerprint once by connecting again, or name the file with its authority.',
    );
  }
  if (/SSL|TLS|EPROTO/.test(code)) {
    return misconfigured(`${place} does not speak TLS.`, 'Set truenas.port to the port of the HTTPS web interface.');
  }
  return unreachable(
    `The connection to TrueNAS at ${place} broke.`,
    'Check the network, and whether TrueNAS is running.',
  );
}

function upgradeError(cause: UpgradeRefusedError, place: string): PixelsError {
  if (cause.status >= 500) {
    const hint = 'It may be starting. Try again in a minute.';
    return new PixelsError('unreachable', `TrueNAS at ${place} is not ready.`, { hint, cause });
  }
  return notTrueNas(place, cause);
}

/** Something answers there, but not what we look for. */
export function notTrueNas(place: string, cause: unknown): PixelsError {
  return new PixelsError('unsupported', `What answers at ${place} is no TrueNAS 25.04 or newer.`, {
    hint: 'Check truenas.host and truenas.port, and the version of TrueNAS.',
    cause,
  });
}
