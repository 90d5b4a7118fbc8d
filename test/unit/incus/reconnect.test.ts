import { describe, expect, it } from 'vitest';
import { firstStep, reduceLink, type LinkEffect, type LinkInput, type LinkState } from '../../../src/incus/reconnect';

const lost = (error = 'gone'): LinkInput => ({ kind: 'lost', error });
const opened: LinkInput = { kind: 'opened' };
const waited: LinkInput = { kind: 'waited' };
const closed: LinkInput = { kind: 'closed' };

/** Everything that is done in the course of these inputs, shortly. */
function course(...inputs: LinkInput[]): { state: LinkState; done: string[] } {
  let { state } = firstStep;
  const done = firstStep.effects.map(short);
  for (const input of inputs) {
    const step = reduceLink(state, input);
    state = step.state;
    done.push(...step.effects.map(short));
  }
  return { state, done };
}

function short(effect: LinkEffect): string {
  if (effect.kind === 'wait') return `wait ${effect.delayMs}`;
  return effect.kind === 'report' ? effect.event.kind : effect.kind;
}

describe('reduceLink', () => {
  it('connects, and says when it is connected', () => {
    expect(course(opened).done).toEqual(['connect', 'connected']);
  });

  it('comes back after a loss, and says both', () => {
    expect(course(opened, lost(), waited, opened).done).toEqual([
      'connect',
      'connected',
      'disconnected',
      'wait 250',
      'connect',
      'connected',
    ]);
  });

  it('waits longer after every attempt, up to 30 s, and says only once that it was lost', () => {
    const attempts = Array.from({ length: 9 }, () => [waited, lost()]).flat();
    const { done } = course(opened, lost(), ...attempts);
    expect(done.filter((step) => step === 'disconnected')).toHaveLength(1);
    const waits = done.filter((step) => step.startsWith('wait')).map((step) => Number(step.slice(5)));
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  });

  it('starts with short waits again once it was connected', () => {
    const { done } = course(opened, lost(), waited, lost(), waited, opened, lost());
    expect(done.slice(-2)).toEqual(['disconnected', 'wait 250']);
  });

  it('says why it is disconnected when the first attempt fails', () => {
    const step = reduceLink(firstStep.state, lost('refused'));
    expect(step.effects[0]).toEqual({ kind: 'report', event: { kind: 'disconnected', error: 'refused' } });
    expect(course(lost(), waited, lost(), waited, opened).done.filter((done) => done.includes('connected'))).toEqual([
      'disconnected',
      'connected',
    ]);
  });

  it('does nothing more once it is closed, whatever happens', () => {
    for (const before of [[], [opened], [opened, lost()]]) {
      const { state } = course(...before, closed);
      expect(state).toEqual({ phase: 'closed' });
      for (const input of [opened, lost(), waited, closed]) expect(reduceLink(state, input).effects).toEqual([]);
    }
    expect(course(opened, closed).done.at(-1)).toBe('disconnect');
  });

  it('ignores what comes too late: a timer while it is connected, a second loss', () => {
    const connected = course(opened).state;
    expect(reduceLink(connected, waited)).toEqual({ state: connected, effects: [] });
    const waiting = course(opened, lost()).state;
    expect(reduceLink(waiting, lost())).toEqual({ state: waiting, effects: [] });
    expect(reduceLink(waiting, opened)).toEqual({ state: waiting, effects: [] });
  });
});
