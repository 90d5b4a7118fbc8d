import { describe, expect, it } from 'vitest';
import { TIMING } from '../../../../src/truenas/limits';
import { reduceLink, type LinkEffect, type LinkInput, type LinkState } from '../../../../src/truenas/reconnect';

const wanted: LinkInput = { kind: 'wanted' };
const unwanted: LinkInput = { kind: 'unwanted' };
const opened: LinkInput = { kind: 'opened' };
const waited: LinkInput = { kind: 'waited' };
const lost: LinkInput = { kind: 'lost', error: 'gone', stable: false, final: false };
const lostLater: LinkInput = { ...lost, stable: true };
const refused: LinkInput = { ...lost, error: 'refused', final: true };

/** Everything that is done in the course of these inputs, shortly. */
function course(...inputs: LinkInput[]): { state: LinkState; done: string[] } {
  let state: LinkState = { phase: 'off' };
  const done: string[] = [];
  for (const input of inputs) {
    const step = reduceLink(state, input, TIMING);
    state = step.state;
    done.push(...step.effects.map(short));
  }
  return { state, done };
}

function short(effect: LinkEffect): string {
  if (effect.kind === 'wait') return `wait ${effect.delayMs / 1000}`;
  return effect.kind === 'report' ? effect.change.kind : effect.kind;
}

const waits = (done: string[]): number[] =>
  done.filter((step) => step.startsWith('wait ')).map((step) => Number(step.slice(5)));

describe('reduceLink', () => {
  it('connects when it is wanted, and comes back after a loss', () => {
    expect(course(wanted, opened, lostLater, waited, opened).done).toEqual([
      'connect',
      'connected',
      'disconnected',
      'wait 5',
      'connect',
      'connected',
    ]);
  });

  it('waits longer after every failure, from 5 s up to 5 min, and says only once that it was lost', () => {
    const { done } = course(wanted, opened, ...Array.from({ length: 9 }, () => [lost, waited]).flat());
    expect(done.filter((step) => step === 'disconnected')).toHaveLength(1);
    expect(waits(done)).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300]);
  });

  it('waits longer too when the connection is lost again and again soon after the login', () => {
    const { done } = course(wanted, ...Array.from({ length: 5 }, () => [opened, lost, waited]).flat());
    expect(waits(done)).toEqual([5, 10, 20, 40, 80]);
  });

  it('forgets failures once it was connected for a while', () => {
    expect(waits(course(wanted, lost, waited, lost, waited, opened, lostLater).done)).toEqual([5, 10, 5]);
  });

  it('says why it is not there when the first attempt fails', () => {
    expect(course(wanted, lost).done).toEqual(['connect', 'disconnected', 'wait 5']);
  });

  it('does not try again after a refusal, and says that even when it had said that it was lost', () => {
    const { state, done } = course(wanted, opened, lostLater, waited, refused, waited, wanted, lost, opened);
    expect(state.phase).toBe('refused');
    expect(done).toEqual(['connect', 'connected', 'disconnected', 'wait 5', 'connect', 'disconnected']);
  });

  it('stops waiting when a call has connected', () => {
    expect(course(wanted, lost, opened).done).toEqual([
      'connect',
      'disconnected',
      'wait 5',
      'stop-waiting',
      'connected',
    ]);
  });

  it('stops waiting when somebody new wants it', () => {
    expect(course(wanted, lost, wanted).done.slice(-2)).toEqual(['stop-waiting', 'connect']);
  });

  it('does nothing for nobody', () => {
    expect(course(opened, lost, waited, unwanted).done).toEqual([]);
    const { state, done } = course(wanted, lost, unwanted, waited, opened, lost);
    expect(state.phase).toBe('off');
    expect(done.at(-1)).toBe('stop-waiting');
  });
});
