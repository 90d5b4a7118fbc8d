import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { causeChain, PixelsError } from '../../../../src/sandbox/errors';
import { API_KEY, callError, invalid, Refusal, SILENCE, type Request } from './scriptedNas';
import { connect, Lines, pause, startNas, until } from './world';

const SECRET = API_KEY.slice(2);

/** Everything of an error that could be shown or logged. */
function everythingIn(error: unknown): string {
  const hint = error instanceof PixelsError ? error.hint : '';
  return [causeChain(error), inspect(error, { depth: 20, showHidden: true }), hint].join('\n');
}

/** A server that repeats what it was told, wherever it can. */
const INDISCREET: Record<string, (request: Request) => unknown> = {
  'a refusal': ({ params }) => callError(14, 'EFAULT', JSON.stringify(params)),
  'a validation error': () => invalid([`auth_login.${API_KEY}`, `"${API_KEY}" is no key`, 22]),
  'an answer of the wrong type': () => ({ response_type: [API_KEY] }),
  'an unknown answer': () => ({ response_type: API_KEY }),
  'a redirect': () => ({ response_type: 'REDIRECT', urls: [`https://${SECRET}/`] }),
  'a refusal that is none': () => new Refusal(`bad key ${API_KEY}`),
  'an event, then silence': ({ connection }) => {
    connection.event(API_KEY, 'added', API_KEY, { key: API_KEY });
    connection.send({ jsonrpc: '2.0', method: API_KEY, params: [] });
    return SILENCE;
  },
  'broken JSON': ({ connection }) => {
    connection.send(`{"api_key": "${API_KEY}`);
    return SILENCE;
  },
  'the end of an unknown message': ({ connection }) => {
    connection.send({ jsonrpc: '2.0', id: null, error: { code: -32600, message: `not valid: ${API_KEY}` } });
    return SILENCE;
  },
  'the reason of a close frame': ({ connection }) => {
    connection.socket.close(1008, API_KEY);
    return SILENCE;
  },
};

describe('the API key', () => {
  it.each(Object.entries(INDISCREET))(
    'is neither in a log nor in an error when the server sends it back in %s',
    async (_, answer) => {
      const nas = (await startNas()).on('auth.login_ex', answer);
      const log = new Lines();
      const api = connect(nas, { log, timing: { loginLimitMs: 100 } });
      const errors: unknown[] = [];
      api.link((change) => errors.push(change));
      await api.call('x', [], z.string()).catch((error: unknown) => errors.push(error));
      expect(errors.length).toBeGreaterThan(0);
      const said = [...log.lines, ...errors.map(everythingIn), inspect(api, { depth: 20, showHidden: true })].join(
        '\n',
      );
      expect(said).not.toContain(SECRET);
    },
  );

  it('is not in what is said of a session that works, breaks and comes back', async () => {
    const nas = (await startNas())
      .on('system.version', () => API_KEY)
      .on('fails', () => callError(2, 'ENOENT', API_KEY))
      .on('auth.generate_token', () => 'token-of-a-shell');
    nas.onShell = (socket) =>
      void socket.once('message', (data: Buffer) => socket.close(1008, data.toString().slice(0, 100)));
    const log = new Lines();
    const api = connect(nas, { log });
    const errors: unknown[] = [];
    const changes: string[] = [];
    api.link((change) => changes.push(change.kind));
    expect(await api.call('system.version', [], z.string())).toBe('********');
    for (const work of [api.call('fails', [], z.string()), api.shell({ virt_instance_id: 'px-a', command: 'sh' })]) {
      await work.catch((error: unknown) => errors.push(error));
    }
    nas.cut();
    await until(() => changes.length === 3);
    const said = [...log.lines, ...errors.map(everythingIn)].join('\n');
    expect(said).not.toContain(SECRET);
    expect(said).not.toContain('token-of-a-shell');
  });

  it('leaves calls in the log with their method and time, and nothing else', async () => {
    const nas = (await startNas())
      .on('x', () => 'answer')
      .on('y', () => callError(2, 'ENOENT', 'words'))
      .on('z', () => SILENCE);
    const log = new Lines();
    const api = connect(nas, { log });
    await api.call('x', ['parameter'], z.string());
    await api.call('y', ['parameter'], z.string()).catch(() => undefined);
    await api.call('z', [], z.string(), { limitMs: 10 }).catch(() => undefined);
    await pause(20);
    const shapes = log.lines.map((line) => line.replace(/\d+(\.\d+)? ms/, 'N ms'));
    expect(shapes).toEqual([
      'truenas auth.login_ex N ms',
      'truenas connected in N ms',
      'truenas core.set_options N ms',
      'truenas x N ms',
      'truenas y refused (2) N ms',
      'truenas z no answer N ms',
    ]);
  });
});
