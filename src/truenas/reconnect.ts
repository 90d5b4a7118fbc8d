import type { LinkChange } from './api';
import type { Timing } from './limits';

/**
 * A connection that is kept up as long as somebody wants it, as a pure function: what is known, what happened, and what
 * to do about it. The timers and sockets are in link.ts. Calls may connect at any time, whatever this does.
 */
export type LinkState =
  | { readonly phase: 'off' }
  /** `failures` in a row so far; `told`: whether the listeners know that it is not there. */
  | { readonly phase: 'connecting'; readonly failures: number; readonly told: boolean }
  | { readonly phase: 'connected'; readonly failures: number }
  | { readonly phase: 'waiting'; readonly failures: number }
  /** The server will not have this key: nobody tries again. */
  | { readonly phase: 'refused' };

export type LinkInput =
  | { readonly kind: 'wanted' }
  | { readonly kind: 'unwanted' }
  | { readonly kind: 'opened' }
  /** `stable`: it had been there long enough to forget earlier failures; `final`: trying again would not help. */
  | { readonly kind: 'lost'; readonly error: unknown; readonly stable: boolean; readonly final: boolean }
  | { readonly kind: 'waited' };

export type LinkEffect =
  | { readonly kind: 'connect' }
  | { readonly kind: 'wait'; readonly delayMs: number }
  | { readonly kind: 'stop-waiting' }
  | { readonly kind: 'report'; readonly change: LinkChange };

export interface LinkStep {
  readonly state: LinkState;
  readonly effects: readonly LinkEffect[];
}

type Delays = Pick<Timing, 'firstDelayMs' | 'longestDelayMs'>;

/** The next state and what to do. A loss is reported once, however many attempts it takes to come back. */
export function reduceLink(state: LinkState, input: LinkInput, delays: Delays): LinkStep {
  switch (input.kind) {
    case 'wanted':
      if (state.phase === 'waiting') return connect(state.failures, true, [{ kind: 'stop-waiting' }]);
      return state.phase === 'off' ? connect(0, false) : { state, effects: [] };
    case 'unwanted':
      return { state: { phase: 'off' }, effects: state.phase === 'waiting' ? [{ kind: 'stop-waiting' }] : [] };
    case 'opened':
      return opened(state);
    case 'lost':
      return lost(state, input, delays);
    case 'waited':
      return state.phase === 'waiting' ? connect(state.failures, true) : { state, effects: [] };
  }
}

function connect(failures: number, told: boolean, first: readonly LinkEffect[] = []): LinkStep {
  return { state: { phase: 'connecting', failures, told }, effects: [...first, { kind: 'connect' }] };
}

/** Also while it waits: a call may have connected. */
function opened(state: LinkState): LinkStep {
  if (state.phase !== 'connecting' && state.phase !== 'waiting') return { state, effects: [] };
  return {
    state: { phase: 'connected', failures: state.failures },
    effects: [
      ...(state.phase === 'waiting' ? [{ kind: 'stop-waiting' } as const] : []),
      { kind: 'report', change: { kind: 'connected' } },
    ],
  };
}

function lost(state: LinkState, input: LinkInput & { kind: 'lost' }, delays: Delays): LinkStep {
  if (state.phase === 'off' || state.phase === 'refused') return { state, effects: [] };
  const report: LinkEffect = { kind: 'report', change: { kind: 'disconnected', error: input.error } };
  const stop = state.phase === 'waiting' ? [{ kind: 'stop-waiting' } as const] : [];
  if (input.final) return { state: { phase: 'refused' }, effects: [...stop, report] };
  if (state.phase === 'waiting') return { state, effects: [] };
  const failures = state.phase === 'connected' && input.stable ? 1 : state.failures + 1;
  const isNews = state.phase === 'connected' || !state.told;
  return {
    state: { phase: 'waiting', failures },
    effects: [...(isNews ? [report] : []), { kind: 'wait', delayMs: delayMs(failures, delays) }],
  };
}

function delayMs(failures: number, { firstDelayMs, longestDelayMs }: Delays): number {
  return Math.min(longestDelayMs, firstDelayMs * 2 ** (failures - 1));
}
