import { OTP, type Key } from '../access/accounts';
import { FULL_ADMIN } from '../access/roles';
import { Session, type User } from '../access/session';
import { CallError } from '../rpc/errors';
import type { Connection } from '../rpc/connection';
import { method, type Caller, type MethodTable } from '../rpc/method';
import type { Middleware } from '../rpc/middleware';
import type { Nas } from '../nas';

interface LoginData {
  readonly mechanism: string;
  readonly username?: string;
  readonly api_key?: string;
  readonly token?: string;
  readonly otp_token?: string;
  readonly login_options?: { readonly user_info?: boolean };
}

const OTP_TRIES = 3;
const DEFAULT_TTL = 600;

/** MW:plugins/auth.py. */
export function authMethods(nas: Nas): MethodTable {
  const { accounts, tokens, misbehave, middleware } = nas;

  function loginEx(data: LoginData, connection: Connection): unknown {
    if (misbehave.standby !== null) return { response_type: 'REDIRECT', urls: [misbehave.standby] };
    if (data.mechanism === 'OTP_TOKEN') throw new CallError('Unexpected mechanism', 'EINVAL');
    if (data.mechanism === 'API_KEY_PLAIN') {
      return withKey(accounts.find(data.username ?? '', data.api_key ?? ''), connection, data);
    }
    const token =
      data.mechanism === 'TOKEN_PLAIN' ? tokens.use(data.token ?? '', connection.origin.address) : undefined;
    if (!token) return { response_type: 'AUTH_ERR' };
    return success(connection, new Session(token.session.user, 'TOKEN', 0), data);
  }

  function withKey(key: Key | undefined, connection: Connection, data: LoginData): unknown {
    if (!key) return { response_type: 'AUTH_ERR' };
    if (key.expired || key.revoked) return { response_type: 'EXPIRED' };
    if (!connection.origin.isSecure) {
      key.revoked = true;
      return { response_type: 'EXPIRED' };
    }
    if (key.otp) {
      connection.owesOtp = { user: key.user, keyId: key.id, triesLeft: OTP_TRIES };
      return { response_type: 'OTP_REQUIRED', username: key.user.username };
    }
    return success(connection, new Session(key.user, 'API_KEY', key.id), data);
  }

  function success(connection: Connection, session: Session, data: LoginData): unknown {
    connection.session = session;
    const user_info = data.login_options?.user_info === false ? null : userInfo(session.user, middleware);
    const reconnect = nas.profile === '26.0' ? { reconnect_token: null } : {};
    return { response_type: 'SUCCESS', user_info, authenticator: 'LEVEL_1', ...reconnect };
  }

  return {
    'auth.login_ex': method<[LoginData]>({ isOpen: true }, ([data], caller) => loginEx(data, client(caller))),
    'auth.login_ex_continue': method<[LoginData]>({ isOpen: true }, ([data], caller) => {
      const connection = client(caller);
      const { owesOtp } = connection;
      if (!owesOtp) throw new CallError('There is no login that waits for a one-time password', 'EINVAL');
      if (data.otp_token === OTP) {
        connection.owesOtp = null;
        return success(connection, new Session(owesOtp.user, 'API_KEY', owesOtp.keyId), data);
      }
      owesOtp.triesLeft -= 1;
      if (owesOtp.triesLeft > 0) return { response_type: 'OTP_REQUIRED', username: owesOtp.user.username };
      connection.owesOtp = null;
      return { response_type: 'AUTH_ERR' };
    }),
    'auth.login_with_api_key': method<[string]>({ isOpen: true }, ([key], caller) => {
      const data = { mechanism: 'API_KEY_PLAIN' };
      const answer = withKey(accounts.findByKey(key), client(caller), data);
      return (answer as { response_type: string }).response_type === 'SUCCESS';
    }),
    'auth.login_with_token': method<[string]>({ isOpen: true }, ([token], caller) => {
      const answer = loginEx({ mechanism: 'TOKEN_PLAIN', token }, client(caller));
      return (answer as { response_type: string }).response_type === 'SUCCESS';
    }),
    'auth.logout': method({}, (_, caller) => {
      client(caller).session = null;
      return true;
    }),
    'auth.me': method({}, (_, { session }) => userInfo(required(session).user, middleware)),
    'auth.mechanism_choices': method({ isOpen: true }, () => [
      'PASSWORD_PLAIN',
      'TOKEN_PLAIN',
      'API_KEY_PLAIN',
      'OTP_TOKEN',
    ]),
    'auth.generate_token': method<[number | null, Record<string, unknown>, boolean, boolean]>(
      {},
      ([ttl, attributes, matchOrigin, singleUse], caller) => {
        const address = matchOrigin ? client(caller).origin.address : null;
        return tokens.make(required(caller.session), ttl ?? DEFAULT_TTL, { attributes, address, singleUse });
      },
    ),
  };
}

function client({ connection }: Caller): Connection {
  if (!connection) throw new CallError('Only a client can do that', 'EINVAL');
  return connection;
}

function required(session: Session | null): Session {
  if (!session) throw new CallError('Not authenticated', 'ENOTAUTHENTICATED');
  return session;
}

/**
 * `privilege` as MW:plugins/account_/privilege.py composes it: roles with all that they include, and what may be called for
 * them. Root has no privilege that anybody has given, and is told the one role.
 */
function userInfo({ username, uid, roles, webShell }: User, middleware: Middleware): unknown {
  const isRoot = uid === 0;
  const isFullAdmin = roles.has(FULL_ADMIN);
  return {
    pw_name: username,
    pw_gecos: username,
    pw_dir: uid === 0 ? '/root' : '/var/empty',
    pw_shell: '/usr/bin/zsh',
    pw_uid: uid,
    pw_gid: uid,
    grouplist: null,
    sid: null,
    source: 'LOCAL',
    local: true,
    attributes: {},
    two_factor_config: { provisioning_uri: null, secret_configured: false, interval: 30, otp_digits: 6 },
    privilege: {
      roles: { $set: isRoot ? [FULL_ADMIN] : [...roles] },
      allowlist: isFullAdmin
        ? [{ method: '*', resource: '*' }]
        : middleware.namesFor(roles).map((resource) => ({ method: 'CALL', resource })),
      web_shell: webShell,
      webui_access: ['FULL_ADMIN', 'READONLY_ADMIN', 'SHARING_ADMIN'].some((role) => roles.has(role)),
    },
    account_attributes: ['LOCAL', 'API_KEY'],
  };
}
