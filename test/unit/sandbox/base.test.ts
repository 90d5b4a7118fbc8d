import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import {
  baseOf,
  basesIn,
  instanceOfBase,
  parseBaseName,
  readBaseRecord,
  sandboxesIn,
  statusOfBase,
  type BaseRecord,
} from '../../../src/sandbox/base';
import type { Mark } from '../../../src/sandbox/mark';
import {
  instanceName,
  nameOfInstance,
  nameProblem,
  parseName,
  parseSource,
  type SandboxName,
} from '../../../src/sandbox/name';

const agent = parseBaseName('agent');

describe('names', () => {
  it('of bases are instances of their own, which no typed sandbox can be', () => {
    expect(instanceName(instanceOfBase(agent))).toBe('px-base-agent');
    expect(baseOf(nameOfInstance('px-base-agent')!)).toBe(agent);
    expect(baseOf(parseName('database'))).toBeUndefined();
    expect(nameProblem('base-agent')).toBe('"base-agent" is kept for a base: no sandbox\'s name begins with "base-".');
    expect(() => parseName('px-base-agent')).toThrow('kept for a base');
    expect(() => parseSource('base-agent:ready')).toThrow('kept for a base');
    expect(parseName('base')).toBe('base');
  });

  it('of bases can be typed with what the server puts before them', () => {
    expect(parseBaseName(' px-base-agent')).toBe('agent');
    expect(parseBaseName('base-agent')).toBe('agent');
    expect(parseBaseName('x'.repeat(55))).toHaveLength(55);
    for (const typed of ['', 'Agent', '-x', 'x-', 'a_b', 'x'.repeat(56)]) expect(() => parseBaseName(typed)).toThrow();
  });

  it('tell bases from sandboxes in a list', () => {
    const all = ['a', 'base-agent', 'basement', 'web'].map((name) => ({ name: name as SandboxName }));
    expect(sandboxesIn(all).map(({ name }) => name)).toEqual(['a', 'basement', 'web']);
    expect(basesIn(all).map(({ name }) => name)).toEqual(['base-agent']);
  });
});

describe('the status of a base', () => {
  const record: BaseRecord = { name: agent, hash: 'h', recipe: 'agent', outcome: 'ready', since: 1 };
  const state = (changes: Partial<BaseRecord> = {}) => ({ base: JSON.stringify({ ...record, ...changes }) });
  const dead: Mark = { action: 'create', id: 'x', host: hostname(), pid: 2 ** 22 + 1, since: 0 };
  const alive: Mark = { ...dead, pid: process.ppid };

  it.each([
    ['missing', undefined, undefined],
    ['ready', { state: state(), mark: undefined }, 'h'],
    ['ready', { state: state(), mark: undefined }, undefined],
    ['stale', { state: state(), mark: undefined }, 'other'],
    ['failed', { state: state({ outcome: 'failed' }), mark: undefined }, 'h'],
    ['stale', { state: state({ outcome: 'failed' }), mark: undefined }, 'other'],
    ['building', { state: state({ outcome: 'building' }), mark: alive }, 'h'],
    ['deleting', { state: state(), mark: { ...alive, action: 'destroy' as const } }, 'h'],
    ['interrupted', { state: state({ outcome: 'building' }), mark: dead }, 'h'],
    ['interrupted', { state: state({ outcome: 'building' }), mark: undefined }, 'h'],
    // Whoever made it: what has no record of ours is not ours to remove.
    ['foreign', { state: {}, mark: dead }, 'h'],
    ['foreign', { state: { base: '{"name":"agent"}' }, mark: undefined }, 'h'],
  ])('is %s', (status, found, hash) => {
    expect(statusOfBase(found, hash)).toBe(status);
  });

  it('is read from a record that is written as it is read', () => {
    const failed = { ...record, outcome: 'failed', failed: 'Codex' };
    expect(readBaseRecord(JSON.stringify(failed))).toEqual(failed);
    for (const text of [undefined, '', 'null', '{}', JSON.stringify({ ...record, outcome: 'done' })]) {
      expect(readBaseRecord(text)).toBeUndefined();
    }
  });
});
