import { isKind, toPixelsError, type PixelsError } from '../sandbox/errors';
import type { Log } from '../sandbox/log';
import { connectionError, NoAnswerError } from './connectionError';
import type { Timing } from './limits';
import { LoginError, logIn } from './login';
import { LoginAllowance, type LoginReason } from './logins';
import { RpcConnection, type RpcListener } from './rpc';
import type { TrueNasTarget } from './target';

export interface ConnectionListener extends Omit<RpcListener, 'lost'> {
  /** A connection is there and logged in. */
  up(rpc: RpcConnection): void;
  /** That connection is gone. */
  down(error: PixelsError, rpc: RpcConnection): void;
  /** Whether it is connected again without any call: then a call that connects does no more than that, only sooner. */
  isKeptUp(): boolean;
}

/** The one logged-in connection to a server: made by whoever needs it first, used by all. */
export class SharedConnection {
  private rpc: RpcConnection | undefined;
  private opening: Promise<RpcConnection> | undefined;
  private lastFailure: PixelsError | undefined;
  private refusal: PixelsError | undefined;
  private isNew = true;
  private readonly closing = new AbortController();
  private readonly logins: LoginAllowance;
  /** How many attempts have failed so far. */
  failures = 0;

  constructor(
    private readonly target: TrueNasTarget,
    private readonly log: Log,
    private readonly timing: Timing,
    private readonly listener: ConnectionListener,
  ) {
    this.logins = new LoginAllowance(target, timing.loginWindowMs);
  }

  /** The connection if there is one. */
  get current(): RpcConnection | undefined {
    return this.rpc;
  }

  /** Why there will never be a connection again: the server will not have this key, or {@link close} was called. */
  get over(): PixelsError | undefined {
    return this.closing.signal.aborted ? (this.closing.signal.reason as PixelsError) : this.refusal;
  }

  /**
   * The connection, made in one attempt if there is none. Whoever saw fewer failures than there are by now has waited
   * through an attempt already: they get its failure, and no attempt of their own.
   * @throws PixelsError by {@link LoginError}; `unreachable`, `config`, `unsupported`.
   */
  get(reason: 'call' | 'link', seen = this.failures): Promise<RpcConnection> {
    if (this.over !== undefined) return Promise.reject(this.over);
    if (this.rpc?.isStale === true) this.drop(connectionError(new NoAnswerError(), this.target));
    if (this.rpc !== undefined) return Promise.resolve(this.rpc);
    if (this.lastFailure !== undefined && this.failures > seen) return Promise.reject(this.lastFailure);
    this.opening ??= this.open(reason).finally(() => (this.opening = undefined));
    return this.opening;
  }

  /** Ends the connection there is, for this reason. The next call makes another one. */
  drop(error: PixelsError): void {
    this.rpc?.close(error);
  }

  /** Ends the connection for good. */
  close(error: PixelsError): void {
    this.closing.abort(error);
  }

  private async open(reason: LoginReason): Promise<RpcConnection> {
    const started = performance.now();
    try {
      this.logins.check(this.isNew ? 'first' : this.listener.isKeptUp() ? 'link' : reason);
      this.isNew = false;
      const rpc = await this.logIn();
      this.rpc = rpc;
      this.lastFailure = undefined;
      this.log.debug(`truenas connected in ${(performance.now() - started).toFixed(0)} ms`);
      this.listener.up(rpc);
      return rpc;
    } catch (thrown) {
      const error = toPixelsError(thrown);
      this.lastFailure = error;
      this.failures++;
      this.log.debug(`truenas not connected: ${error.message} (${String(error.cause)})`);
      throw error;
    }
  }

  private async logIn(): Promise<RpcConnection> {
    const { log, timing, listener, target } = this;
    const rpc = await RpcConnection.open(
      target,
      { log, timing, signal: this.closing.signal },
      {
        event: (collection, event) => listener.event(collection, event),
        unsubscribed: (collection) => listener.unsubscribed(collection),
        lost: (error, lost) => this.lost(error, lost),
      },
    );
    try {
      this.logins.note();
      await logIn((method, params) => rpc.request(method, params, timing.loginLimitMs), target);
    } catch (error) {
      const reason = rpc.ended ?? this.failedLogin(error);
      rpc.close(connectionError(new Error('not logged in'), target));
      throw reason;
    }
    rpc.loggedIn = true;
    // For 25.10, which else logs every call of a private method; older ones ignore it.
    const options = rpc.request('core.set_options', [{ private_methods: true }], timing.callLimitMs);
    options.catch((error: unknown) => this.log.debug(`truenas core.set_options: ${(error as Error).message}`));
    return rpc;
  }

  private failedLogin(error: unknown): unknown {
    if (error instanceof LoginError) {
      if (error.verdict === 'final') this.refusal = error.error;
      if (error.verdict === 'locked-out') this.logins.lockedOut();
      return error.error;
    }
    return isKind(error, 'timeout') ? connectionError(new NoAnswerError(), this.target) : error;
  }

  private lost(error: PixelsError, rpc: RpcConnection): void {
    if (this.rpc !== rpc) return;
    this.rpc = undefined;
    this.log.debug(`truenas connection ended: ${error.message}`);
    this.listener.down(error, rpc);
  }
}
