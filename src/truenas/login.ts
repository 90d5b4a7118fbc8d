import * as z from 'zod/mini';
import { PixelsError, type ErrorKind } from '../sandbox/errors';
import { Errno, isMissingMethod, TrueNasRefusal } from './errors';
import { placeOf, type TrueNasTarget } from './target';
import { parseWire } from './wire';

const answerSchema = z.object({
  response_type: z.string(),
  urls: z.catch(z.array(z.string()), []),
});

/** Asks for a method's result; {@link RpcConnection.request}. */
type Request = (method: string, params: readonly unknown[]) => Promise<unknown>;

/** Why a login failed, and whether it would fail again: then nobody may try, lest the address be locked out. */
export class LoginError extends Error {
  constructor(
    readonly error: PixelsError,
    readonly verdict: 'final' | 'locked-out' | 'later',
  ) {
    super(error.message, { cause: error });
  }
}

/**
 * Logs a new connection in.
 * @throws LoginError when the server says no; PixelsError when it says nothing, or nothing that can be understood.
 */
export async function logIn(request: Request, target: TrueNasTarget): Promise<void> {
  const { username, apiKey } = target;
  const credentials = { mechanism: 'API_KEY_PLAIN', username, api_key: apiKey, login_options: { user_info: false } };
  let answer: unknown;
  try {
    answer = await request('auth.login_ex', [credentials]);
  } catch (error) {
    throw error instanceof TrueNasRefusal ? refusedLogin(error, target) : error;
  }
  const { response_type: type, urls } = parseWire(answerSchema, answer, 'auth.login_ex');
  if (type === 'SUCCESS') return;
  throw new LoginError(...outcome(type, urls, target));
}

function outcome(type: string, urls: readonly string[], target: TrueNasTarget): [PixelsError, 'final' | 'later'] {
  const place = placeOf(target);
  const user = `the user "${target.username}"`;
  const say = (kind: ErrorKind, message: string, hint: string): PixelsError =>
    new PixelsError(kind, message, { hint, cause: new Error(`auth.login_ex: ${type.slice(0, 50)}`) });
  switch (type) {
    case 'AUTH_ERR':
    case 'DENIED':
      return [
        say(
          'forbidden',
          `TrueNAS at ${place} does not accept the API key for ${user}.`,
          'Check truenas.username and the key. A key belongs to one user, and is gone once it was revoked or deleted.',
        ),
        'final',
      ];
    case 'EXPIRED':
      return [
        say(
          'forbidden',
          `The API key for ${user} has expired or was revoked by TrueNAS at ${place}.`,
          'Make a new one. TrueNAS revokes a key for good when anything uses it over plain HTTP, ' +
            'also a reverse proxy that takes the TLS off on the way.',
        ),
        'final',
      ];
    case 'OTP_REQUIRED':
      return [
        say(
          'forbidden',
          `TrueNAS at ${place} asks for a one-time password for ${user}, and Pixels has none.`,
          'Use an API key of a user without two-factor authentication.',
        ),
        'final',
      ];
    case 'REDIRECT':
      return [
        say(
          'config',
          `${place} is the standby controller of a TrueNAS pair.`,
          `Set truenas.host to the pair's own address${hostsIn(urls)}.`,
        ),
        'later',
      ];
    default:
      return [
        say('protocol', `TrueNAS at ${place} answered the login in a way that Pixels does not know.`, 'Update Pixels.'),
        'final',
      ];
  }
}

function hostsIn(urls: readonly string[]): string {
  const hosts = urls.flatMap((url) => (URL.canParse(url) ? [new URL(url).host] : [])).slice(0, 3);
  return hosts.length === 0 ? '' : `, or to ${hosts.join(' or ')}`;
}

/** The server's own words are not shown: they are about what it was told, and that was the key. */
function refusedLogin(refusal: TrueNasRefusal, target: TrueNasTarget): LoginError {
  const place = placeOf(target);
  const cause = new Error(`auth.login_ex: ${String(refusal.code)} ${String(refusal.errno)}`);
  if (refusal.errno === Errno.EBUSY) {
    const hint = 'Wait a minute, and see whether other programs use TrueNAS from here.';
    const message = `TrueNAS at ${place} accepts no login from this machine's address now: there were too many.`;
    return new LoginError(new PixelsError('busy', message, { hint, cause }), 'locked-out');
  }
  if (refusal.errno === Errno.EOPNOTSUPP) {
    const message = `The security settings of TrueNAS at ${place} do not allow API keys.`;
    return new LoginError(new PixelsError('unsupported', message, { cause }), 'final');
  }
  if (isMissingMethod(refusal)) {
    const hint = 'Pixels needs TrueNAS 25.04.2 or newer.';
    return new LoginError(new PixelsError('unsupported', `TrueNAS at ${place} is too old.`, { hint, cause }), 'final');
  }
  const message = `TrueNAS at ${place} could not log ${target.username} in.`;
  return new LoginError(new PixelsError('failed', message, { hint: 'Its log may say why.', cause }), 'later');
}
