import { PixelsError, type ErrorKind } from '../sandbox/errors';
import { placeOf, type IncusConnection } from './connection';

/** A request that got no answer: why the server cannot be reached, and what a person does about it. */
export function connectionError(error: unknown, connection: IncusConnection): PixelsError {
  const { code = '' } = error as NodeJS.ErrnoException;
  const place = placeOf(connection);
  const say = (kind: ErrorKind, message: string, hint: string): PixelsError =>
    new PixelsError(kind, message, { hint, cause: error });
  if (code === 'NO_ANSWER') {
    // Incus (6.0) waits for the first bytes of a connection to its socket before it accepts the next one.
    const stopped = ' A stopped program that has connected to it (STAT T in "ps ax") holds up everybody.';
    const hint = `See whether the server is overloaded or hangs.${connection.kind === 'unix' ? stopped : ''}`;
    return say('timeout', `Incus at ${place} does not answer.`, hint);
  }
  if (connection.kind === 'unix') {
    const start = 'Start it with "sudo systemctl start incus".';
    if (code === 'EACCES' || code === 'EPERM') {
      const join = 'Join the group with "sudo usermod -aG incus-admin $USER", then log out and in again.';
      return say('forbidden', `You may not use Incus: ${place} is for the group incus-admin.`, join);
    }
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return say('unreachable', `There is no Incus at ${place}.`, `${start} If it is elsewhere, set incus.socket.`);
    }
    if (code === 'ECONNREFUSED') return say('unreachable', `Incus at ${place} is not running.`, start);
    return say('unreachable', `The connection to Incus at ${place} broke.`, 'See whether it is running.');
  }
  if (code === 'WRONG_CERTIFICATE') {
    const hint = 'If the server has a new certificate, put it in the place of incus.server_cert. If not, beware.';
    return say('config', `${place} shows another certificate than the pinned one.`, hint);
  }
  if (/SELF_SIGNED|UNABLE_TO|CERT_|ALTNAME/.test(code)) {
    const hint = "Set incus.server_cert to a file with the server's own certificate.";
    return say('config', `The certificate of ${place} is not vouched for by anybody this machine trusts.`, hint);
  }
  if (/SSL|TLS/.test(code)) {
    return say('forbidden', `${place} did not accept the client certificate.`, 'Check incus.client_cert.');
  }
  return say('unreachable', `Incus at ${place} cannot be reached.`, 'Check the address, the network and the server.');
}
