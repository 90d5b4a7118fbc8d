const HIDDEN = '********';
const KEYS = ['api_key', 'password', 'otp_token', 'token'];

/** A call's parameters as they may be kept. */
export function withoutSecrets(method: string, params: readonly unknown[]): unknown {
  if (method === 'auth.login_with_api_key' || method === 'auth.login_with_token') return params.map(() => HIDDEN);
  if (!method.startsWith('auth.login')) return structuredClone(params);
  return params.map((param) => {
    if (typeof param !== 'object' || param === null) return HIDDEN;
    return Object.fromEntries(
      Object.entries(param).map(([key, value]) => [key, KEYS.includes(key) ? HIDDEN : (value as unknown)]),
    );
  });
}
