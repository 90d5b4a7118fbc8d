import { PixelsError } from '../sandbox/errors';
import { LOGINS_PER_MINUTE } from './limits';
import { placeOf, type Endpoint } from './target';

export type LoginReason = keyof typeof LOGINS_PER_MINUTE;

/** How many logins each server had from this process: it counts by address, whichever connection they come from. */
const servers = new Map<string, { times: number[]; lockedUntil: number }>();

/**
 * The logins that this process may try without being locked out.
 * @throws PixelsError `unreachable` when there were too many within `windowMs`, with the time to try again.
 */
export class LoginAllowance {
  private readonly server: { times: number[]; lockedUntil: number };

  constructor(
    private readonly endpoint: Endpoint,
    private readonly windowMs: number,
  ) {
    const place = placeOf(endpoint);
    this.server = servers.get(place) ?? { times: [], lockedUntil: 0 };
    servers.set(place, this.server);
  }

  /** @throws PixelsError `unreachable`. */
  check(reason: LoginReason): void {
    const now = Date.now();
    const { server, windowMs } = this;
    server.times = server.times.filter((time) => now - time < windowMs);
    const most = LOGINS_PER_MINUTE[reason];
    const next = server.times.length < most ? 0 : (server.times.at(-most) ?? now) + windowMs;
    const wait = Math.max(next, server.lockedUntil) - now;
    if (wait <= 0) return;
    const place = placeOf(this.endpoint);
    throw new PixelsError('unreachable', `There were too many logins to TrueNAS at ${place} within a minute.`, {
      hint: `Try again in ${Math.ceil(wait / 1000)} s: TrueNAS locks out those who try too often.`,
    });
  }

  /** A login is tried now. */
  note(): void {
    this.server.times.push(Date.now());
  }

  /** The server says that it was too many; others at this address log in too. */
  lockedOut(): void {
    this.server.lockedUntil = Date.now() + this.windowMs;
  }
}
