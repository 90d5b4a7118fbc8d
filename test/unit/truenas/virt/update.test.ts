import { describe, expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { parseName } from '../../../../src/sandbox/name';
import { META_KEY, readMeta, withMeta } from '../../../../src/truenas/meta';
import { MetaWriter } from '../../../../src/truenas/common/update';
import { instancesOf } from '../../../../src/truenas/virt/instances';
import { fakeApi, instance, type FakeApi } from './fakeApi';

const web = parseName('web');
const empty = { state: {}, createdAt: new Date(0), writes: [], unknown: {} };

/** A server with one instance, whose environment is replaced whole, some time after one asks for it. */
function server(writeMs = 5) {
  let environment: Record<string, string> = { LANG: 'C', ...withMeta({}, empty) };
  let writes = 0;
  const api = () =>
    fakeApi({
      'virt.instance.query': () => [instance('px-web', { environment })],
      'virt.instance.update': async (_: string, given: { environment: Record<string, string> }) => {
        writes++;
        await delay(writeMs);
        environment = given.environment;
        return null;
      },
    });
  return {
    api,
    get state() {
      return readMeta(environment).state;
    },
    get environment() {
      return environment;
    },
    get writes() {
      return writes;
    },
    overwrite: (others: Record<string, string>) => (environment = others),
  };
}

function writerFor(api: FakeApi): MetaWriter {
  return new MetaWriter(api, instancesOf(api));
}

describe('writing the state', () => {
  it('keeps the other variables and the other keys', async () => {
    const nas = server();
    const writer = writerFor(nas.api());
    await writer.updateState(web, () => ({ sshUser: 'pixel' }));
    await writer.updateState(web, () => ({ hostKey: 'key' }));
    expect(nas.state).toEqual({ sshUser: 'pixel', hostKey: 'key' });
    expect(nas.environment['LANG']).toBe('C');
  });

  it('writes nothing when nothing changes', async () => {
    const nas = server();
    const writer = writerFor(nas.api());
    await writer.updateState(web, () => ({}));
    await writer.updateState(web, () => ({ hostKey: null }));
    expect(nas.writes).toBe(0);
    await writer.updateState(web, () => ({ sshUser: 'pixel', hostKey: 'key' }));
    await writer.updateState(web, () => ({ hostKey: 'key', sshUser: 'pixel' }));
    expect(nas.writes).toBe(1);
  });

  it('goes one after another in one process', async () => {
    const nas = server();
    const writer = writerFor(nas.api());
    const append = (word: string) => writer.updateState(web, ({ hostKey = '' }) => ({ hostKey: hostKey + word }));
    await Promise.all(['a', 'b', 'c'].map(append));
    expect(nas.state.hostKey).toBe('abc');
    expect(nas.writes).toBe(3);
  });

  it('is repeated when another process overwrote it without having seen it', async () => {
    const nas = server(100);
    const append = (word: string) =>
      writerFor(nas.api()).updateState(web, ({ hostKey = '' }) => ({ hostKey: hostKey + word }));
    await Promise.all(['a', 'b', 'c', 'd'].map(append));
    expect(nas.state.hostKey?.split('').sort().join('')).toBe('abcd');
    expect(nas.writes).toBeGreaterThan(4);
  });

  it('lets only one of two claims through', async () => {
    const nas = server(100);
    const claim = (mark: string) =>
      writerFor(nas.api()).updateState(web, (state) => {
        if (state.mark !== undefined && state.mark !== mark) throw new Error(`${state.mark} was first`);
        return { mark };
      });
    const outcomes = await Promise.allSettled([claim('one'), delay(60).then(() => claim('two'))]);
    const winners = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? ['one', 'two'][index] : []));
    expect(winners).toEqual([nas.state.mark]);
  });

  it('throws what the change throws, and goes on with the next', async () => {
    const nas = server();
    const writer = writerFor(nas.api());
    const refusal = new Error('not now');
    const fails = writer.updateState(web, () => {
      throw refusal;
    });
    const next = writer.updateState(web, () => ({ sshUser: 'pixel' }));
    await expect(fails).rejects.toBe(refusal);
    await next;
    expect(nas.state).toEqual({ sshUser: 'pixel' });
  });

  it('makes a new state where somebody has taken it away', async () => {
    const nas = server();
    nas.overwrite({ LANG: 'C' });
    await writerFor(nas.api()).updateState(web, () => ({ sshUser: 'pixel' }));
    expect(JSON.parse(nas.environment[META_KEY]!)).toMatchObject({ v: 1, sshUser: 'pixel' });
  });
});
