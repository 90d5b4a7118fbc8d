import https from 'node:https';
import { WebSocket } from 'ws';
import type { TrueNasServer } from './interface';

/** An error that the server answered. */
export class AnsweredError extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly data: { reason: string; extra: unknown; error: number; errname: string } | undefined,
  ) {
    super(`${code} ${data?.reason ?? message}`);
  }
}

export interface Event {
  readonly msg: string;
  readonly collection: string;
  readonly id: unknown;
  readonly fields?: Record<string, unknown>;
}

/** A plain client of the protocol, for the tests of the server itself: it hides nothing and retries nothing. */
export class TestClient {
  readonly events: Event[] = [];
  /** Every message as it came: what was answered, and in which order. */
  readonly messages: Record<string, unknown>[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  private readonly waiting = new Map<number, (message: Record<string, unknown>) => void>();
  private lastId = 0;

  private constructor(
    private readonly server: TrueNasServer,
    readonly socket: WebSocket,
  ) {
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Record<string, unknown>;
      this.messages.push(message);
      if (message.method === 'collection_update') this.events.push(message.params as Event);
      else this.waiting.get(message.id as number)?.(message);
    });
  }

  static async connect(server: TrueNasServer, { plain = false } = {}): Promise<TestClient> {
    const url = plain ? `ws://127.0.0.1:${server.plainPort}/api/current` : `wss://127.0.0.1:${server.port}/api/current`;
    const socket = new WebSocket(url, plain ? {} : { agent: trusting(server) });
    const client = new TestClient(server, socket);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return client;
  }

  async login(credentials: { username: string; apiKey: string } = this.server): Promise<void> {
    const { response_type } = await this.tryLogin(credentials);
    if (response_type !== 'SUCCESS') throw new Error(String(response_type));
    await this.call('core.subscribe', ['core.get_jobs']);
  }

  async tryLogin({ username, apiKey }: { username: string; apiKey: string }): Promise<Record<string, unknown>> {
    const data = { mechanism: 'API_KEY_PLAIN', username, api_key: apiKey };
    return (await this.call('auth.login_ex', [data])) as Record<string, unknown>;
  }

  async call(method: string, params: readonly unknown[] = []): Promise<unknown> {
    const { error, result } = await this.ask({ method, params });
    if (error === undefined) return result;
    const { code, message, data } = error as { code: number; message: string; data: AnsweredError['data'] };
    throw new AnsweredError(code, message, data);
  }

  /** Starts a job, waits for the event of its end, and returns its result; throws its error. */
  async job(method: string, params: readonly unknown[] = []): Promise<unknown> {
    const id = await this.call(method, params);
    const { fields } = await this.event((event) => event.id === id && ENDED.includes(String(event.fields?.state)));
    if (fields?.state !== 'SUCCESS') throw new Error(String(fields?.error));
    return fields.result;
  }

  async event(isWanted: (event: Event) => boolean): Promise<Event> {
    for (;;) {
      const found = this.events.find(isWanted);
      if (found) return found;
      await new Promise((resolve) => this.socket.once('message', resolve));
    }
  }

  /** A message of any kind, answered by its id. */
  ask(message: Record<string, unknown>): Promise<Record<string, unknown>> {
    const id = (this.lastId += 1);
    const answer = new Promise<Record<string, unknown>>((resolve) => this.waiting.set(id, resolve));
    this.socket.send(JSON.stringify({ jsonrpc: '2.0', id, ...message }));
    return answer;
  }

  /** A shell that has said `connected`; `output` is all of it, when the socket has closed. */
  async shell(options: Record<string, unknown>): Promise<{ id: string; socket: WebSocket; output: Promise<string> }> {
    const token = await this.call('auth.generate_token', [60, {}, true, true]);
    const url = `wss://127.0.0.1:${this.server.port}/websocket/shell`;
    const socket = new WebSocket(url, { agent: trusting(this.server) });
    const chunks: Buffer[] = [];
    const output = new Promise<string>((resolve) => {
      socket.once('close', () => resolve(Buffer.concat(chunks).toString()));
    });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const first = new Promise<{ msg: string; id: string }>((resolve, reject) => {
      socket.on('message', (data: Buffer, isBinary) => {
        if (isBinary) chunks.push(data);
        else resolve(JSON.parse(data.toString()) as { msg: string; id: string });
      });
      socket.once('close', () => reject(new Error('The shell closed')));
    });
    socket.send(JSON.stringify({ token, options }));
    const { msg, id } = await first;
    if (msg !== 'connected') throw new Error(msg);
    return { id, socket, output };
  }

  close(): void {
    this.socket.close();
  }
}

const ENDED = ['SUCCESS', 'FAILED', 'ABORTED'];

/** The certificate is for `localhost`. */
function trusting({ certificate }: TrueNasServer): https.Agent {
  return new https.Agent({ ca: certificate, servername: 'localhost' });
}
