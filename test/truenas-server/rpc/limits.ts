/** Closes with `code` and this text (MW:utils/limits.py). */
export interface SizeExceeded {
  readonly code: number;
  readonly reason: string;
}

const BEFORE_LOGIN = 8192;
const AFTER_LOGIN = 65_536;
const BY_METHOD: Record<string, number> = { 'filesystem.file_receive': 2_097_152 };

/** Characters, not bytes; the method's own limit counts only after the login. */
export function sizeExceeded(message: string, isLoggedIn: boolean): SizeExceeded | null {
  if (!isLoggedIn) {
    if (message.length <= BEFORE_LOGIN) return null;
    return { code: 1007, reason: 'Anonymous connection max message length is 8 kB' };
  }
  if (message.length <= AFTER_LOGIN) return null;
  const limit = BY_METHOD[methodOf(message)] ?? AFTER_LOGIN;
  return message.length <= limit ? null : { code: 1009, reason: 'Max message length is 64 kB' };
}

function methodOf(message: string): string {
  try {
    return String((JSON.parse(message) as { method?: unknown }).method);
  } catch {
    return '';
  }
}

const CALLS = 20;
const WINDOW_MS = 60_000;
const CLEARED_EVERY_MS = 600_000;

/** Calls of a method without login by one address: 20 in 60 s, and who tries on stays out (MW:utils/rate_limit/cache.py). */
export class RateLimit {
  private readonly entries = new Map<string, { calls: number; since: number }>();
  private clearedAt: number;

  constructor(private readonly now: () => number = Date.now) {
    this.clearedAt = now();
  }

  /** Whether this call is one too many. */
  exceeded(method: string, address: string): boolean {
    const now = this.now();
    if (now - this.clearedAt >= CLEARED_EVERY_MS) {
      this.entries.clear();
      this.clearedAt = now;
    }
    const key = `${method} ${address}`;
    const entry = this.entries.get(key);
    if (!entry) {
      this.entries.set(key, { calls: 1, since: now });
      return false;
    }
    entry.calls += 1;
    if (entry.calls > CALLS) return true;
    if (now - entry.since >= WINDOW_MS) Object.assign(entry, { calls: 1, since: now });
    return false;
  }
}

const RUNNING = 10;
const HELD = 20;

/** The calls of one connection: 10 run, 10 more wait, the next is refused (rpc.py `SoftHardSemaphore(10, 20)`). */
export class CallSlots {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  /** Resolves when the call may run; null when there are too many. */
  enter(): Promise<void> | null {
    if (this.running + this.waiting.length >= HELD) return null;
    if (this.running < RUNNING) {
      this.running += 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.running -= 1;
  }
}
