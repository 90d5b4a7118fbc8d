import { afterEach, expect } from 'vitest';
import type { TrueNasApi } from '../../../../src/truenas/api';
import type { Timing } from '../../../../src/truenas/limits';
import { connectTrueNas } from '../../../../src/truenas/session';
import type { TrueNasTarget } from '../../../../src/truenas/target';
import { PixelsError, type ErrorKind } from '../../../../src/sandbox/errors';
import type { Log } from '../../../../src/sandbox/log';
import type { Certificate } from './certificates';
import { API_KEY, ScriptedNas, USER } from './scriptedNas';

const open = new Set<{ close(): void }>();
const running = new Set<ScriptedNas>();
const usedPorts = new Set<number>();

afterEach(async () => {
  open.forEach((api) => api.close());
  open.clear();
  const violations = [...running].flatMap((nas) => nas.violations);
  await Promise.all([...running].map((nas) => nas.stop()));
  running.clear();
  expect(violations).toEqual([]);
});

/** A NAS on a port that no test before had: logins are counted by port. */
export async function startNas(certificate?: Certificate): Promise<ScriptedNas> {
  for (;;) {
    const nas = await ScriptedNas.start(certificate);
    running.add(nas);
    if (!usedPorts.has(nas.port)) {
      usedPorts.add(nas.port);
      return nas;
    }
  }
}

export function targetOf(nas: ScriptedNas, change: Partial<TrueNasTarget> = {}): TrueNasTarget {
  const trust = { kind: 'pin', fingerprint256: nas.certificate.fingerprint256 } as const;
  return { host: '127.0.0.1', port: nas.port, username: USER, apiKey: API_KEY, trust, ...change };
}

/** What was logged, one line each. */
export class Lines implements Log {
  readonly lines: string[] = [];
  trace = (message: string): void => void this.lines.push(message);
  debug = this.trace;
  info = this.trace;
  warn = (message: string): void => void this.lines.push(`warning: ${message}`);
  error = (message: string): void => void this.lines.push(`error: ${message}`);
}

/** Short enough for a test, and in the same order as the real ones. */
export const QUICK: Partial<Timing> = {
  connectLimitMs: 2_000,
  loginLimitMs: 2_000,
  firstDelayMs: 40,
  longestDelayMs: 320,
  jobPollMs: 60,
  tooManyPauseMs: 10,
};

export function connect(
  nas: ScriptedNas,
  {
    target = {},
    timing = {},
    log = new Lines(),
  }: { target?: Partial<TrueNasTarget>; timing?: Partial<Timing>; log?: Log } = {},
): TrueNasApi {
  const api = connectTrueNas(targetOf(nas, target), { log, timing: { ...QUICK, ...timing } });
  open.add(api);
  return api;
}

/** The error that this ends with, which must be a PixelsError of this kind. */
export async function failureOf(work: Promise<unknown>, kind: ErrorKind): Promise<PixelsError> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof PixelsError)) throw error;
    expect({ kind: error.kind, message: error.message }).toEqual({ kind, message: error.message });
    return error;
  }
  throw new Error('it did not fail');
}

export async function until(condition: () => boolean, limitMs = 3_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within ${limitMs} ms: ${condition.toString()}`);
    await pause(5);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
