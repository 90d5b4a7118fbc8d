import { CODE, type RpcError } from './errors';

export interface Request {
  readonly method: string;
  readonly params: readonly unknown[];
  /** Absent for a notification, which is not answered. */
  readonly id?: string | number | null;
}

export type Parsed = { readonly request: Request } | { readonly id: unknown; readonly error: RpcError };

/** A message of a client (MW:api/base/server/ws_handler/rpc.py `REQUEST_SCHEMA`, MW:utils/limits.py `parse_message`). */
export function parseRequest(text: string): Parsed {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch (error) {
    return { id: null, error: { code: CODE.invalidJson, message: (error as Error).message } };
  }
  if (Array.isArray(message)) {
    return { id: null, error: { code: CODE.invalidJson, message: 'Batch messages are not supported at this time' } };
  }
  if (typeof message !== 'object' || message === null) {
    return { id: null, error: { code: CODE.invalidRequest, message: 'Request must be an object' } };
  }
  const fields = message as Record<string, unknown>;
  const id = ['string', 'number'].includes(typeof fields.id) ? fields.id : null;
  const wrong = wrongField(fields);
  if (wrong !== null) return { id, error: { code: CODE.invalidRequest, message: wrong } };
  const { params = [], ...request } = fields as unknown as Partial<Request> & { method: string };
  return { request: { ...request, params } };
}

function wrongField(fields: Readonly<Record<string, unknown>>): string | null {
  const { jsonrpc, method, params, id } = fields;
  if (jsonrpc !== '2.0') return "'jsonrpc' member must be '2.0'";
  if (typeof method !== 'string') return "'method' member must be of type string";
  if (params !== undefined && !Array.isArray(params)) return "'params' member must be of type array";
  if (!['undefined', 'string', 'number'].includes(typeof id) && id !== null) {
    return "'id' member must be of type string, number or null";
  }
  const extra = Object.keys(fields).find((key) => !['jsonrpc', 'method', 'params', 'id'].includes(key));
  return extra === undefined ? null : `Additional properties are not allowed ('${extra}' was unexpected)`;
}
