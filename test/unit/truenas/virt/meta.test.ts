import { describe, expect, it } from 'vitest';
import { changed, META_KEY, readMeta, signed, withMeta, type Meta } from '../../../../src/truenas/meta';

const meta: Meta = {
  state: { sshUser: 'pixel', hostKey: 'ssh-ed25519 AAAA+/=' },
  createdAt: new Date('2026-11-23T14:05:01.000Z'),
  image: 'debian/12',
  writes: [],
  unknown: {},
};

describe('what is kept in the environment of an instance', () => {
  it('is read as it was written', () => {
    expect(readMeta(withMeta({}, meta))).toMatchObject(meta);
  });

  it('is JSON with a version, under one key, beside what others have there', () => {
    const environment = withMeta({ LANG: 'C.UTF-8', [META_KEY]: 'old' }, meta);
    expect(Object.keys(environment)).toEqual(['LANG', META_KEY]);
    expect(JSON.parse(environment[META_KEY]!)).toMatchObject({
      v: 1,
      sshUser: 'pixel',
      createdAt: '2026-11-23T14:05:01.000Z',
    });
    expect(META_KEY).toMatch(/^\w[\w/]*$/);
  });

  it('keeps what a newer version has written', () => {
    const newer = { [META_KEY]: JSON.stringify({ v: 2, sshUser: 'pixel', policy: 'strict', more: { a: [1] } }) };
    const read = readMeta(newer);
    expect(read.state).toEqual({ sshUser: 'pixel', policy: 'strict' });
    expect(JSON.parse(withMeta({}, read)[META_KEY]!)).toMatchObject({ v: 2, policy: 'strict', more: { a: [1] } });
  });

  it.each(['', ' ', 'no JSON', '[]', 'null', '7', '{"createdAt":"yesterday","writes":{}}'])(
    'is empty where there is nothing readable: %s',
    (text) => expect(readMeta({ [META_KEY]: text })).toMatchObject({ state: {}, createdAt: undefined, writes: [] }),
  );

  it('is empty for an instance that others have made', () => {
    expect(readMeta({})).toMatchObject({ state: {}, createdAt: undefined, copyOf: undefined });
  });

  it('has a history of the last writes', () => {
    let last = meta;
    const names: string[] = [];
    for (let count = 0; count < 20; count++) {
      const { meta: next, write } = signed(last);
      names.unshift(write);
      last = next;
    }
    expect(last.writes).toEqual(names.slice(0, 12));
    expect(new Set(names).size).toBe(20);
  });
});

describe('a change of the state', () => {
  it('writes, keeps and removes keys', () => {
    const change = { hostKey: null, sshUser: 'other', mark: '{}' };
    expect(changed(meta.state, change)).toEqual({ sshUser: 'other', mark: '{}' });
    expect(changed(meta.state, {})).toEqual(meta.state);
  });
});
