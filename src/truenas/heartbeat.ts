import type WebSocket from 'ws';
import type { Timing } from './limits';

/**
 * Pings a WebSocket that has opened, and says once when no pong comes. Its timers keep no process alive.
 * TrueNAS does not ping, and what is in front of it cuts silent connections.
 */
export class Heartbeat {
  private readonly interval: NodeJS.Timeout;
  private limit: NodeJS.Timeout | undefined;
  private lastHeard = Date.now();

  constructor(
    private readonly socket: WebSocket,
    private readonly timing: Pick<Timing, 'pingIntervalMs' | 'pongLimitMs'>,
    private readonly onSilence: () => void,
  ) {
    socket.on('pong', () => this.heard());
    this.interval = setInterval(() => this.ping(), timing.pingIntervalMs).unref();
  }

  /** Anything that comes is as good as a pong. */
  heard(): void {
    this.lastHeard = Date.now();
    clearTimeout(this.limit);
  }

  /**
   * Whether nothing was heard for so long that the server must have forgotten the connection: the machine slept, and no
   * timer ran meanwhile.
   */
  get hasSlept(): boolean {
    const { pingIntervalMs, pongLimitMs } = this.timing;
    return Date.now() - this.lastHeard > 2 * (pingIntervalMs + pongLimitMs);
  }

  stop(): void {
    clearInterval(this.interval);
    clearTimeout(this.limit);
  }

  private ping(): void {
    const heardBefore = this.lastHeard;
    this.socket.ping(ignore);
    clearTimeout(this.limit);
    const judge = (): void => {
      if (this.lastHeard === heardBefore) this.onSilence();
    };
    // After a long pause of this process, a pong may lie there unread: it is read first.
    this.limit = setTimeout(() => setImmediate(judge), this.timing.pongLimitMs).unref();
  }
}

function ignore(): void {
  // the connection's end says more
}
