/** Linux' numbers, and TrueNAS' own from truenas/api_client `exc.py` (`ErrnoMixin`). */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  EOPNOTSUPP: 95,
  ENOTEMPTY: 39,
  ENOMETHOD: 201,
  ENOTAUTHENTICATED: 207,
} as const;

export type Errno = keyof typeof ERRNO;

/** Where, what and which errno: `[attribute, message, errno]` of the protocol's `extra`. */
export type Triple = readonly [string | null, string, number];

/** A failure that is meant for the caller: `middlewared.service_exception.CallError`. */
export class CallError extends Error {
  override readonly name = 'CallError';

  constructor(
    readonly reason: string,
    readonly errno: Errno = 'EFAULT',
    readonly extra: unknown = null,
  ) {
    super(`[${errno}] ${reason}`);
  }
}

/** Arguments that do not pass. `single` is Python's `ValidationError`, which is written and encoded differently. */
export class ValidationErrors extends Error {
  override readonly name: string;

  constructor(
    readonly triples: readonly Triple[],
    readonly single: 'ValidationError' | 'InstanceNotFound' | null = null,
  ) {
    const lines = triples.map(([where, text, number]) => `[${errname(number)}] ${where ?? 'None'}: ${text}`);
    super(single ? lines.join('') : lines.map((line) => `${line}\n`).join(''));
    this.name = single ?? 'ValidationErrors';
  }
}

export function invalid(attribute: string, message: string, errno: Errno = 'EINVAL'): ValidationErrors {
  return new ValidationErrors([[attribute, message, ERRNO[errno]]]);
}

/** `middlewared.service_exception.InstanceNotFound`, which reaches the client as a ValidationError. */
export function notFound(what: string): ValidationErrors {
  return new ValidationErrors([[null, `${what} does not exist`, ERRNO.ENOENT]], 'InstanceNotFound');
}

/** JSON-RPC's own codes and TrueNAS' two (MW:api/base/server/ws_handler/rpc.py). */
export const CODE = {
  invalidJson: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  tooManyCalls: -32000,
  callError: -32001,
} as const;

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** How an exception of a method is told to the client. */
export function rpcError(error: unknown): RpcError {
  if (error instanceof ValidationErrors) {
    const data = errorData('EINVAL', error, error.triples);
    return { code: CODE.invalidParams, message: 'Invalid params', data };
  }
  const errno = error instanceof CallError ? error.errno : 'EINVAL';
  const extra = error instanceof CallError ? error.extra : null;
  return { code: CODE.callError, message: 'Method call error', data: errorData(errno, error, extra) };
}

/** A failed job's `error`, `exception` and `exc_info` (MW:job.py `__encode__`). */
export function jobFailure(error: unknown): { error: string; exception: string; exc_info: unknown } {
  const { name, message, formatted, repr } = described(error);
  const facts =
    error instanceof ValidationErrors
      ? { type: 'VALIDATION', errno: error.single ? (error.triples[0]?.[2] ?? null) : null, extra: error.triples }
      : error instanceof CallError
        ? { type: name, errno: ERRNO[error.errno], extra: error.extra }
        : { type: name, errno: null, extra: null };
  return { error: message, exception: formatted, exc_info: { repr, ...facts } };
}

function errorData(errno: Errno, error: unknown, extra: unknown): unknown {
  const { name, message, formatted, repr } = described(error);
  return {
    error: ERRNO[errno],
    errname: errno,
    reason: message,
    trace: { class: name, frames: [], formatted, repr },
    extra,
  };
}

function described(error: unknown): { name: string; message: string; formatted: string; repr: string } {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const formatted = `Traceback (most recent call last):\n  File "/usr/lib/python3/dist-packages/middlewared/main.py"\n${name}: ${message}\n`;
  return { name, message, formatted, repr: `${name}(${JSON.stringify(message)})` };
}

/** `EUNKNOWN` for a number that nobody knows, as `get_errname` of the middleware. */
export function errname(number: number): string {
  return Object.entries(ERRNO).find(([, value]) => value === number)?.[0] ?? 'EUNKNOWN';
}
