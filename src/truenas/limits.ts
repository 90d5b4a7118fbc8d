/**
 * What the server bears, in characters of a message. It closes the connection of whoever sends more.
 * Source: truenas/middleware, utils/limits.py.
 */
export const MESSAGE_LIMIT = { beforeLogin: 8_192, afterLogin: 65_536, fileReceive: 2_097_152 } as const;

/** More than these run one after another on the server, and the 21st is refused (ws_handler/rpc.py). */
export const CALLS_IN_FLIGHT = 10;

/** A message from the server that is longer ends the connection. No answer that we ask for comes near. */
export const LONGEST_ANSWER_BYTES = 32 * 1024 * 1024;

/**
 * The server refuses every login from an address that tried 20 within 60 s (utils/rate_limit/cache.py), whoever tried.
 * Calls that connect again leave something for a link, and both leave half to other windows and to the command line.
 */
export const LOGINS_PER_MINUTE = { first: 10, call: 5, link: 10 } as const;

/** Every duration that a connection knows, so that a test need not wait for minutes. */
export interface Timing {
  /** For TCP and TLS together, and again for the WebSocket's handshake. */
  readonly connectLimitMs: number;
  /** The server may sleep 10 s before it says that there were too many logins. */
  readonly loginLimitMs: number;
  readonly callLimitMs: number;
  readonly jobLimitMs: number;
  /** nginx in front of 25.x cuts a connection that was silent for 60 s. */
  readonly pingIntervalMs: number;
  readonly pongLimitMs: number;
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** A connection that lived this long was no flapping one: after it the delays start anew. */
  readonly stableMs: number;
  /** How long a connection that nobody needs is kept. */
  readonly idleMs: number;
  readonly jobPollMs: number;
  /** Before a call that was one too many is made again. */
  readonly tooManyPauseMs: number;
  readonly loginWindowMs: number;
}

export const TIMING: Timing = {
  connectLimitMs: 10_000,
  loginLimitMs: 25_000,
  callLimitMs: 60_000,
  jobLimitMs: 600_000,
  pingIntervalMs: 30_000,
  pongLimitMs: 10_000,
  firstDelayMs: 5_000,
  longestDelayMs: 300_000,
  stableMs: 60_000,
  idleMs: 60_000,
  jobPollMs: 3_000,
  tooManyPauseMs: 500,
  loginWindowMs: 60_000,
};
