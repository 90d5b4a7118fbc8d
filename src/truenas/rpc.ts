import type WebSocket from 'ws';
import { PixelsError } from '../sandbox/errors';
import type { Log } from '../sandbox/log';
import type { CollectionEvent } from './api';
import { NoAnswerError, connectionError } from './connectionError';
import { TrueNasRefusal, type RefusalDetails } from './errors';
import { Heartbeat } from './heartbeat';
import { MESSAGE_LIMIT, type Timing } from './limits';
import { scrubber } from './secrets';
import { closedBy, openSocket } from './socket';
import { placeOf, type TrueNasTarget } from './target';
import { parseMessage, type Message } from './wire';
import { LONGEST_TIMER_MS } from './within';

/** What a connection tells whoever opened it. */
export interface RpcListener {
  event(collection: string, event: CollectionEvent): void;
  /** The server has ended a subscription. */
  unsubscribed(collection: string): void;
  /** Once, and the last word. */
  lost(error: PixelsError, rpc: RpcConnection): void;
}

export interface RpcSettings {
  readonly log: Log;
  readonly timing: Timing;
  /** Ends the connection; its reason is a {@link PixelsError}. */
  readonly signal: AbortSignal;
}

interface Pending {
  readonly method: string;
  readonly started: number;
  readonly limit: NodeJS.Timeout;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Newest API that the server has. A versioned one knows no private methods (api/base/server/legacy_api_method.py). */
const PATH = '/api/current';

/** A login is good for 30 days (plugins/auth.py). A connection is not used for that long. */
const SESSION_MS = 25 * 24 * 60 * 60_000;

/**
 * One JSON-RPC 2.0 connection: calls matched by id, pings, notifications. It does not log in, and it never comes back:
 * session.ts makes another one. The server sees no binary frame and no notification from here.
 */
export class RpcConnection {
  /** @throws PixelsError `config`, `unreachable`, `unsupported`. */
  static async open(target: TrueNasTarget, settings: RpcSettings, listener: RpcListener): Promise<RpcConnection> {
    const { timing, signal } = settings;
    const { socket, address, opened } = await openSocket(target, PATH, { limitMs: timing.connectLimitMs, signal });
    const rpc = new RpcConnection(socket, address, target, settings, listener);
    await opened;
    rpc.startHeartbeat();
    return rpc;
  }

  /** When this connection was made, as `Date.now()` has it. */
  readonly since = Date.now();
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;
  private heartbeat: Heartbeat | undefined;
  private readonly scrub: (text: string) => string;
  private end: PixelsError | undefined;
  private readonly log: Log;
  private readonly timing: Timing;
  /** Set after the login: from then on messages may be longer. */
  loggedIn = false;

  private constructor(
    private readonly socket: WebSocket,
    /** The server's IP address. */
    readonly address: string | undefined,
    private readonly target: TrueNasTarget,
    { log, timing, signal }: RpcSettings,
    private readonly listener: RpcListener,
  ) {
    this.log = log;
    this.timing = timing;
    this.scrub = scrubber(target.apiKey);
    socket.on('message', (data: Buffer, isBinary) => this.guarded(() => this.receive(data, isBinary)));
    socket.on('error', (error) => this.fail(connectionError(error, target)));
    socket.on('close', (code) => this.fail(closedBy(target, code)));
    const end = (): void => this.close(signal.reason as PixelsError);
    signal.addEventListener('abort', end);
    socket.once('close', () => signal.removeEventListener('abort', end));
  }

  get isOpen(): boolean {
    return this.end === undefined;
  }

  /** Why it is not open any more. */
  get ended(): PixelsError | undefined {
    return this.end;
  }

  /** Whether the server must have forgotten this connection, although nothing says so. */
  get isStale(): boolean {
    return Date.now() - this.since > SESSION_MS || this.heartbeat?.hasSlept === true;
  }

  /**
   * Calls a method and returns what it returns.
   * @throws PixelsError `invalid` for a message that the server would not take; `timeout`; `unreachable`, `protocol`
   * when the connection ends meanwhile: then the server may have done it.
   * @throws TrueNasRefusal.
   */
  request(method: string, params: readonly unknown[], limitMs: number): Promise<unknown> {
    if (this.end !== undefined) return Promise.reject(this.end);
    const id = this.nextId++;
    const message = JSON.stringify({ jsonrpc: '2.0', id, method, params });
    const longest = this.longest(method);
    if (message.length > longest) {
      const size = `${method} with ${message.length} characters; the server takes ${longest}`;
      return Promise.reject(new PixelsError('invalid', 'This is too long for TrueNAS.', { cause: new Error(size) }));
    }
    return new Promise((resolve, reject) => {
      const giveUp = (): void => this.settle(id, 'no answer ')?.reject(this.noAnswer(method));
      const limit = setTimeout(giveUp, Math.min(limitMs, LONGEST_TIMER_MS));
      this.pending.set(id, { method, started: performance.now(), limit, resolve, reject });
      this.socket.send(message, (error) => {
        if (error) this.fail(connectionError(error, this.target));
      });
    });
  }

  /** Ends the connection; everything that still waits fails with this error. */
  close(error: PixelsError): void {
    this.fail(error, error);
  }

  private receive(data: Buffer, isBinary: boolean): void {
    this.heartbeat?.heard();
    if (this.end !== undefined) return;
    if (isBinary) throw new PixelsError('protocol', 'TrueNAS sent something that is no text.');
    // Whatever a server repeats of what it was told, the key goes no further than this line.
    const message = parseMessage(this.scrub(data.toString('utf8')));
    switch (message.kind) {
      case 'event':
        this.listener.event(message.collection, message.event);
        break;
      case 'unsubscribed':
        this.listener.unsubscribed(message.collection);
        break;
      case 'unknown':
        this.log.trace(`truenas sent ${message.method.slice(0, 100)}`);
        break;
      default:
        this.answer(message);
    }
  }

  private answer(message: Extract<Message, { kind: 'answer' | 'refusal' }>): void {
    if (message.id === null && message.kind === 'refusal') throw this.notUnderstood(message.details);
    const pending = typeof message.id === 'number' ? this.settle(message.id, shortly(message)) : undefined;
    if (pending === undefined) this.log.trace('truenas answered what nobody asked');
    else if (message.kind === 'answer') pending.resolve(message.result);
    else pending.reject(new TrueNasRefusal(pending.method, message.details));
  }

  /** An error without an id is about a message that the server could not read: nobody knows which. */
  private notUnderstood({ code }: RefusalDetails): PixelsError {
    return new PixelsError('protocol', `TrueNAS at ${placeOf(this.target)} does not understand Pixels.`, {
      cause: new Error(`error ${String(code)} without an id`), // its words repeat the message
    });
  }

  private settle(id: number, outcome: string): Pending | undefined {
    const pending = this.pending.get(id);
    if (pending === undefined) return undefined;
    this.pending.delete(id);
    clearTimeout(pending.limit);
    this.log.trace(`truenas ${pending.method} ${outcome}${(performance.now() - pending.started).toFixed(1)} ms`);
    return pending;
  }

  private longest(method: string): number {
    if (!this.loggedIn) return MESSAGE_LIMIT.beforeLogin;
    return method === 'filesystem.file_receive' ? MESSAGE_LIMIT.fileReceive : MESSAGE_LIMIT.afterLogin;
  }

  /** For a call that was sent: nobody knows what became of it. */
  private unanswered(error: PixelsError): PixelsError {
    if (error.kind !== 'unreachable') return error;
    const message = `The connection to TrueNAS at ${placeOf(this.target)} broke before it answered.`;
    const hint = 'What it was asked to do may be done or not: look before you try again.';
    return new PixelsError('unreachable', message, { hint, cause: error });
  }

  private noAnswer(method: string): PixelsError {
    return new PixelsError('timeout', `TrueNAS at ${placeOf(this.target)} does not answer in time.`, {
      hint: 'See whether it is overloaded, then try again.',
      cause: new Error(`${method}: no answer`),
    });
  }

  private startHeartbeat(): void {
    if (this.end !== undefined) return;
    const silence = (): void => this.fail(connectionError(new NoAnswerError(), this.target));
    this.heartbeat = new Heartbeat(this.socket, this.timing, silence);
  }

  /** Nothing that a server sends may do more harm than to end its connection. */
  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fail(
        error instanceof PixelsError
          ? error
          : new PixelsError('protocol', 'TrueNAS sent something that Pixels cannot bear.', { cause: error }),
      );
    }
  }

  private fail(error: PixelsError, unanswered = this.unanswered(error)): void {
    if (this.end !== undefined) return;
    this.end = error;
    this.heartbeat?.stop();
    this.socket.terminate();
    for (const id of [...this.pending.keys()]) this.settle(id, 'lost ')?.reject(unanswered);
    this.listener.lost(error, this);
  }
}

function shortly(message: Message): string {
  if (message.kind !== 'refusal') return '';
  return `refused (${message.details.errno ?? message.details.code ?? '?'}) `;
}
