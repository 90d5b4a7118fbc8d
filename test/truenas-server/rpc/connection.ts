import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { Session, User } from '../access/session';
import type { Middleware } from './middleware';
import { CODE, rpcError, type RpcError } from './errors';
import { damaged } from './garbage';
import { CallSlots, sizeExceeded } from './limits';
import { parseRequest, type Request } from './request';

/** Where a connection comes from, as far as the middleware cares (MW:utils/origin.py). */
export interface Origin {
  readonly address: string;
  readonly isSecure: boolean;
}

/** One client at `/api/current`: its login, subscriptions and calls. */
export class Connection {
  session: Session | null = null;
  /** Whose password or key was right, and who still owes the one-time password. */
  owesOtp: { user: User; keyId: number; triesLeft: number } | null = null;
  readonly subscriptions = new Map<string, string>();
  private readonly slots = new CallSlots();

  constructor(
    private readonly middleware: Middleware,
    private readonly socket: WebSocket,
    readonly origin: Origin,
  ) {
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) socket.close(1003, 'Invalid websocket message type: <WSMsgType.BINARY: 2>');
      else this.receive(data.toString());
    });
    socket.on('error', () => socket.terminate());
    socket.on('close', () => middleware.disconnected(this));
  }

  subscribe(event: string): string {
    const id = randomUUID();
    this.subscriptions.set(id, event);
    return id;
  }

  notify(method: string, params: unknown): void {
    this.send(JSON.stringify({ jsonrpc: '2.0', method, params }));
  }

  hasSubscribed(collection: string): boolean {
    return [...this.subscriptions.values()].some((name) => name === collection || name === '*');
  }

  /** Without a closing handshake. */
  cut(): void {
    this.socket.terminate();
  }

  private receive(text: string): void {
    const tooLong = sizeExceeded(text, this.session !== null);
    if (tooLong) {
      this.socket.close(tooLong.code, tooLong.reason);
      return;
    }
    const parsed = parseRequest(text);
    if ('error' in parsed) this.answerError(parsed.id, parsed.error);
    else void this.answer(parsed.request);
  }

  private async answer(request: Request): Promise<void> {
    const { method, params, id } = request;
    this.middleware.record(method, params);
    const { misbehave } = this.middleware;
    if (this.cutIf(method, 'before')) return;
    if (!this.middleware.has(method)) {
      this.answerError(id, { code: CODE.methodNotFound, message: 'Method does not exist' });
      return;
    }
    const place = this.slots.enter();
    if (place === null) {
      const message = 'Maximum number of concurrent calls (20) has exceeded';
      this.answerError(id, { code: CODE.tooManyCalls, message });
      return;
    }
    await place;
    try {
      await new Promise((resolve) => setTimeout(resolve, misbehave.slowMethods[method] ?? 0));
      const result = await this.middleware.call(method, params, this, id);
      if (!this.cutIf(method, 'after')) this.answerResult(request, result);
    } catch (error) {
      if (!this.cutIf(method, 'after')) this.answerError(id, rpcError(error));
    } finally {
      this.slots.leave();
    }
  }

  private cutIf(method: string, at: 'before' | 'after'): boolean {
    const { misbehave } = this.middleware;
    if (misbehave.cutAt?.method !== method || misbehave.cutAt.at !== at) return false;
    misbehave.cutAt = null;
    this.cut();
    return true;
  }

  private answerResult({ id, method }: Request, result: unknown): void {
    if (id === undefined) return;
    const answer = { jsonrpc: '2.0', result, id };
    const { garbageAnswers } = this.middleware.misbehave;
    if (!garbageAnswers || garbageAnswers.count < 1 || method.startsWith('auth.login')) {
      this.send(JSON.stringify(answer));
      return;
    }
    garbageAnswers.count -= 1;
    this.send(damaged(answer, garbageAnswers.kind));
  }

  private answerError(id: unknown, error: RpcError): void {
    if (id !== undefined) this.send(JSON.stringify({ jsonrpc: '2.0', error, id }));
  }

  private send(data: string | Buffer): void {
    if (this.socket.readyState === this.socket.OPEN) this.socket.send(data);
  }
}
