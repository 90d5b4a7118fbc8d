import { describe, expect, it } from 'vitest';
import { Roles } from '../../truenas-server/access/roles';
import { Session } from '../../truenas-server/access/session';
import { commandLine, type CronEntry } from '../../truenas-server/host/cron';
import { CallError, invalid, notFound, rpcError } from '../../truenas-server/rpc/errors';
import { damaged } from '../../truenas-server/rpc/garbage';
import { parseRequest } from '../../truenas-server/rpc/request';
import { withoutSecrets } from '../../truenas-server/rpc/secrets';

describe('a request', () => {
  it('may leave out its parameters, and its id', () => {
    expect(parseRequest('{"jsonrpc":"2.0","method":"core.ping"}')).toEqual({
      request: { jsonrpc: '2.0', method: 'core.ping', params: [] },
    });
    expect(parseRequest('{"jsonrpc":"2.0","id":"x","method":"core.ping"}')).toMatchObject({ request: { id: 'x' } });
  });

  it.each([
    ['{', -32700, null],
    ['[]', -32700, null],
    ['7', -32600, null],
    ['{"jsonrpc":"1.0","id":1,"method":"core.ping"}', -32600, 1],
    ['{"jsonrpc":"2.0","id":1}', -32600, 1],
    ['{"jsonrpc":"2.0","id":1,"method":"core.ping","params":{}}', -32600, 1],
    ['{"jsonrpc":"2.0","id":[],"method":"core.ping"}', -32600, null],
    ['{"jsonrpc":"2.0","id":1,"method":"core.ping","more":1}', -32600, 1],
  ])('%s is answered with %d', (text, code, id) => {
    expect(parseRequest(text)).toMatchObject({ id, error: { code } });
  });
});

describe('an error', () => {
  it('of a call has its number, its name and its reason', () => {
    expect(rpcError(new CallError('Not authenticated', 'ENOTAUTHENTICATED'))).toMatchObject({
      code: -32001,
      message: 'Method call error',
      data: { error: 207, errname: 'ENOTAUTHENTICATED', reason: '[ENOTAUTHENTICATED] Not authenticated', extra: null },
    });
  });

  it('of validation is EINVAL, whatever its triples say', () => {
    expect(rpcError(invalid('a.b', 'Wrong', 'EEXIST'))).toMatchObject({
      code: -32602,
      data: { error: 22, reason: '[EEXIST] a.b: Wrong\n', extra: [['a.b', 'Wrong', 17]] },
    });
    expect(rpcError(notFound('VirtInstance px-a'))).toMatchObject({
      code: -32602,
      data: { reason: '[ENOENT] None: VirtInstance px-a does not exist', trace: { class: 'InstanceNotFound' } },
    });
  });

  it('that nobody foresaw is a call error without a prefix', () => {
    expect(rpcError(new TypeError('x'))).toMatchObject({ code: -32001, data: { error: 22, reason: 'x' } });
  });
});

describe('a damaged answer', () => {
  const answer = { jsonrpc: '2.0', id: 1, result: [{ id: 5, name: 'a', memory: 7, on: true }] };

  it.each([
    ['wrong-types', [{ id: '5', name: 1, memory: '7', on: [true] }]],
    ['huge-numbers', [{ id: Number.MAX_VALUE, name: 'a', memory: Number.MAX_VALUE, on: true }]],
    ['missing-fields', [{ name: 'a', on: true }]],
  ] as const)('has %s', (kind, result) => {
    expect(JSON.parse(damaged(answer, kind) as string)).toEqual({ ...answer, result });
  });

  it('is no JSON, or no text', () => {
    expect(() => JSON.parse(damaged(answer, 'broken-json') as string) as unknown).toThrow();
    expect(damaged(answer, 'binary')).toBeInstanceOf(Buffer);
  });
});

it('what is kept of calls has no secrets', () => {
  const login = { mechanism: 'API_KEY_PLAIN', username: 'root', api_key: '1-abc' };
  expect(withoutSecrets('auth.login_ex', [login])).toEqual([{ ...login, api_key: '********' }]);
  expect(withoutSecrets('auth.login_with_api_key', ['1-abc'])).toEqual(['********']);
});

it('the command of a cron job is one line, with what is hidden sent away behind it', () => {
  const entry: CronEntry = {
    id: 1,
    command: 'a &&\nb "%s"',
    user: 'root',
    description: '',
    enabled: true,
    stdout: true,
    stderr: true,
    schedule: {},
  };
  expect(commandLine(entry)).toBe('a &&b "\\%s" > /dev/null 2> /dev/null');
});

it('roles to write are roles to read', () => {
  const roles = new Roles('25.10.5');
  const session = (granted: string[]): Session => {
    const user = { username: 'a', uid: 1, roles: roles.expanded(granted), webShell: true, sudo: true };
    return new Session(user, 'API_KEY', 1);
  };
  expect(session(['VIRT_INSTANCE_WRITE']).hasRole(['VIRT_INSTANCE_READ'])).toBe(true);
  expect(session(['VIRT_INSTANCE_WRITE']).hasRole(['VIRT_INSTANCE_DELETE'])).toBe(false);
  expect(session(['READONLY_ADMIN']).hasRole(['SNAPSHOT_READ'])).toBe(true);
  expect(session(['READONLY_ADMIN']).hasRole(['SNAPSHOT_WRITE'])).toBe(false);
  expect(session(['FULL_ADMIN']).hasRole(['FULL_ADMIN'])).toBe(true);
  expect([...roles.expanded(['FULL_ADMIN'])]).toContain('SYSTEM_CRON_READ');
  expect(() => roles.expanded(['CONTAINER_READ'])).toThrow('Invalid role CONTAINER_READ');
});
