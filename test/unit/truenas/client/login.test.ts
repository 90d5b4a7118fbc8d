import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { sentence } from '../../../../src/sandbox/errors';
import { API_KEY, callError, noSuchMethod, Refusal, SILENCE, USER } from './scriptedNas';
import { connect, failureOf, pause, startNas } from './world';

const text = z.string();

describe('logging in', () => {
  it('sends the key once, in auth.login_ex, and the call after it', async () => {
    const nas = (await startNas()).on('system.version', () => 'TrueNAS-25.10.1');
    const api = connect(nas);
    expect(await api.call('system.version', [], text)).toBe('TrueNAS-25.10.1');
    expect(await api.call('system.version', [], text)).toBe('TrueNAS-25.10.1');
    expect(nas.methods()).toEqual(['auth.login_ex', 'core.set_options', 'system.version', 'system.version']);
    expect(nas.requests[0]!.params).toEqual([
      { mechanism: 'API_KEY_PLAIN', username: USER, api_key: API_KEY, login_options: { user_info: false } },
    ]);
    expect(nas.upgrades).toEqual(['/api/current']);
  });

  it.each([
    ['AUTH_ERR', 'forbidden', 'does not accept the API key for the user "vscode"'],
    ['DENIED', 'forbidden', 'does not accept the API key'],
    ['EXPIRED', 'forbidden', 'expired or was revoked'],
    ['OTP_REQUIRED', 'forbidden', 'one-time password'],
    ['SCRAM_RESPONSE', 'protocol', 'answered the login in a way'],
  ] as const)('says what %s means, and never tries again', async (type, kind, words) => {
    const nas = (await startNas()).on('auth.login_ex', () => ({ response_type: type, username: USER }));
    const api = connect(nas);
    const changes: string[] = [];
    api.link((change) => changes.push(change.kind));
    const error = await failureOf(api.call('system.version', [], text), kind);
    expect(error.message).toContain(words);
    expect(error.hint).toBeDefined();
    await failureOf(api.call('system.version', [], text), kind);
    await failureOf(api.job('virt.instance.start', ['px-a'], text), kind);
    await pause(150); // three times as long as the link would wait
    expect(changes).toEqual(['disconnected']);
    expect(nas.methods()).toEqual(['auth.login_ex']);
    expect(nas.openConnections).toBe(0);
  });

  it('explains a revoked key by plain HTTP', async () => {
    const nas = (await startNas()).on('auth.login_ex', () => ({ response_type: 'EXPIRED' }));
    expect(sentence(await failureOf(connect(nas).call('x', [], text), 'forbidden'))).toMatch(
      /plain HTTP.*reverse proxy/,
    );
  });

  it('names the other controller of a pair, and looks again later', async () => {
    const urls = ['https://192.168.1.51:443', 'not a url', 5];
    const nas = (await startNas()).on('auth.login_ex', () => ({ response_type: 'REDIRECT', urls: urls.slice(0, 2) }));
    const api = connect(nas);
    const error = await failureOf(api.call('system.version', [], text), 'config');
    expect(error.hint).toContain('192.168.1.51');
    nas.on('auth.login_ex', () => ({ response_type: 'SUCCESS' })).on('system.version', () => 'TrueNAS-25.10.1');
    expect(await api.call('system.version', [], text)).toBe('TrueNAS-25.10.1');
  });

  it('says that there were too many logins, and holds back for the time that takes', async () => {
    const nas = (await startNas()).on('auth.login_ex', () => callError(16, 'EBUSY', 'Rate Limit Exceeded'));
    const api = connect(nas, { timing: { loginWindowMs: 250 } });
    expect((await failureOf(api.call('x', [], text), 'busy')).message).toContain('too many');
    const error = await failureOf(api.call('x', [], text), 'unreachable');
    expect(error.hint).toContain('Try again in 1 s');
    expect(nas.count('auth.login_ex')).toBe(1);
    nas.on('auth.login_ex', () => ({ response_type: 'SUCCESS' })).on('x', () => 'there');
    await pause(260);
    expect(await api.call('x', [], text)).toBe('there');
  });

  it.each([
    ['no API keys for high security', callError(95, 'EOPNOTSUPP', 'x'), 'unsupported', 'do not allow API keys'],
    ['an old version', noSuchMethod, 'unsupported', 'too old'],
    ['any other failure', callError(14, 'EFAULT', `no ${API_KEY}`), 'failed', 'could not log vscode in'],
    ['a refusal without sense', new Refusal('no'), 'failed', 'could not log vscode in'],
  ] as const)('says so: %s', async (_, refusal, kind, words) => {
    const nas = (await startNas()).on('auth.login_ex', () => refusal);
    expect((await failureOf(connect(nas).call('x', [], text), kind)).message).toContain(words);
  });

  it.each([[null], ['SUCCESS'], [{}], [{ response_type: 7 }], [[]]])('does not take %j for a login', async (answer) => {
    const nas = (await startNas()).on('auth.login_ex', () => answer);
    await failureOf(connect(nas).call('x', [], text), 'protocol');
  });

  it('does not wait for ever', async () => {
    const nas = (await startNas()).on('auth.login_ex', () => SILENCE);
    await failureOf(connect(nas, { timing: { loginLimitMs: 50 } }).call('x', [], text), 'unreachable');
  });

  it('tries five logins a minute for calls, ten in all, and says when to try again', async () => {
    const nas = (await startNas()).on('x', ({ connection }) => {
      connection.socket.terminate();
      return SILENCE;
    });
    const api = connect(nas);
    for (let count = 0; count < 5; count++) await failureOf(api.call('x', [], text), 'unreachable');
    const error = await failureOf(api.call('x', [], text), 'unreachable');
    expect(sentence(error)).toMatch(/too many logins.*Try again in (59|60) s/);
    expect(nas.count('auth.login_ex')).toBe(5);
    for (let count = 0; count < 8; count++) await failureOf(connect(nas).call('x', [], text), 'unreachable');
    expect(nas.count('auth.login_ex')).toBe(10);
  });

  it('lets a call have the logins of the link that would connect all the same', async () => {
    const nas = (await startNas()).on('x', ({ connection }) => {
      connection.socket.terminate();
      return SILENCE;
    });
    const api = connect(nas);
    const link = api.link(() => undefined);
    for (let count = 0; count < 10; count++) await failureOf(api.call('x', [], text), 'unreachable');
    expect(nas.count('auth.login_ex')).toBe(10);
    expect(sentence(await failureOf(api.call('x', [], text), 'unreachable'))).toMatch(/too many logins/);
    link.close();
  });
});
