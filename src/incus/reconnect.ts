import type { HostEvent } from '../sandbox/host';

/**
 * A connection that comes back by itself, as a pure function: what is known, what happened, and what to do about it. The
 * timers and sockets are in watch.ts.
 */
export type LinkState =
  | { readonly phase: 'connecting'; readonly attempt: number; readonly wasLost: boolean }
  | { readonly phase: 'connected' }
  | { readonly phase: 'waiting'; readonly attempt: number }
  | { readonly phase: 'closed' };

export type LinkInput =
  | { readonly kind: 'opened' }
  | { readonly kind: 'lost'; readonly error: unknown }
  | { readonly kind: 'waited' }
  | { readonly kind: 'closed' };

export type LinkEffect =
  | { readonly kind: 'connect' }
  | { readonly kind: 'disconnect' }
  | { readonly kind: 'wait'; readonly delayMs: number }
  | { readonly kind: 'report'; readonly event: HostEvent };

export interface LinkStep {
  readonly state: LinkState;
  readonly effects: readonly LinkEffect[];
}

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 30_000;

/** Where a link begins; the first thing to do is to connect. */
export const firstStep: LinkStep = {
  state: { phase: 'connecting', attempt: 0, wasLost: false },
  effects: [{ kind: 'connect' }],
};

/** The next state and what to do. A loss is reported once, however many attempts it takes to come back. */
export function reduceLink(state: LinkState, input: LinkInput): LinkStep {
  if (state.phase === 'closed') return { state, effects: [] };
  switch (input.kind) {
    case 'closed':
      return { state: { phase: 'closed' }, effects: [{ kind: 'disconnect' }] };
    case 'opened':
      if (state.phase !== 'connecting') return { state, effects: [] };
      return { state: { phase: 'connected' }, effects: [{ kind: 'report', event: { kind: 'connected' } }] };
    case 'lost': {
      if (state.phase === 'waiting') return { state, effects: [] };
      const attempt = state.phase === 'connecting' ? state.attempt + 1 : 0;
      const isNews = state.phase === 'connected' || !state.wasLost;
      return {
        state: { phase: 'waiting', attempt },
        effects: [
          ...(isNews ? [{ kind: 'report', event: { kind: 'disconnected', error: input.error } } as const] : []),
          { kind: 'wait', delayMs: delayMs(attempt) },
        ],
      };
    }
    case 'waited':
      if (state.phase !== 'waiting') return { state, effects: [] };
      return {
        state: { phase: 'connecting', attempt: state.attempt, wasLost: true },
        effects: [{ kind: 'connect' }],
      };
  }
}

function delayMs(attempt: number): number {
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
}
