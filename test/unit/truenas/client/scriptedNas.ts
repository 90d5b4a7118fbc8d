import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { selfSigned, type Certificate } from './certificates';

export const API_KEY = '7-' + 'Zk4vQ9'.repeat(10) + 'abcd';
export const USER = 'vscode';

/** Never answers. */
export const SILENCE = Symbol('silence');

/** A refusal as the server words it. */
export class Refusal {
  constructor(readonly error: unknown) {}
}

export const noSuchMethod = new Refusal({ code: -32601, message: 'Method does not exist' });

export function callError(errno: number, errname: string, words: string): Refusal {
  const trace = { class: 'CallError', frames: [], formatted: `Traceback of ${words}`, repr: words };
  const data = { error: errno, errname, reason: `[${errname}] ${words}`, trace, extra: null };
  return new Refusal({ code: -32001, message: 'Method call error', data });
}

export function invalid(...extra: [attribute: string | null, message: string, errno: number][]): Refusal {
  const reason = extra.map(([attribute, message]) => `[EINVAL] ${String(attribute)}: ${message}`).join('\n');
  const data = { error: 22, errname: 'EINVAL', reason, trace: { formatted: 'Traceback' }, extra };
  return new Refusal({ code: -32602, message: 'Invalid params', data });
}

export interface Request {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
  readonly connection: Connection;
}

type Handler = (request: Request) => unknown;

/** One WebSocket on `/api/current`, as the server has it. */
export class Connection {
  loggedIn = false;
  running = 0;
  readonly subscriptions = new Map<string, string>();

  constructor(readonly socket: WebSocket) {}

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  event(collection: string, msg: string, id: unknown, fields?: unknown): void {
    this.send({ jsonrpc: '2.0', method: 'collection_update', params: { msg, collection, id, fields } });
  }
}

let certificate: Certificate | undefined;

/**
 * A NAS on loopback that does what a test scripts, and that holds its client to the protocol: whatever a real server
 * would not bear is in `violations`.
 */
export class ScriptedNas {
  static async start(given?: Certificate): Promise<ScriptedNas> {
    const nas = new ScriptedNas(given ?? (certificate ??= selfSigned()));
    await nas.listen();
    return nas;
  }

  port = 0;
  readonly connections: Connection[] = [];
  /** Every call, in order. */
  readonly requests: Request[] = [];
  readonly violations: string[] = [];
  /** Paths that were asked for over plain HTTPS, and with the handshake of a WebSocket. */
  readonly gets: string[] = [];
  readonly upgrades: string[] = [];
  mostAtOnce = 0;
  /** Answers GET; the default has a list of API versions. */
  page: { status: number; body: string; headers?: Record<string, string> } = {
    status: 200,
    body: '["v25.04.0","v25.10.5"]',
  };
  /** Refuses the handshake of a WebSocket with this status. */
  upgradeStatus: number | undefined;
  onShell: ((socket: WebSocket) => void) | undefined;
  onConnection: ((connection: Connection) => void) | undefined;
  private readonly handlers = new Map<string, Handler>();
  private readonly sockets = new WebSocketServer({ noServer: true });
  private readonly server: https.Server;
  private subscriptionCount = 0;

  private constructor(readonly certificate: Certificate) {
    this.server = https.createServer({ cert: certificate.cert, key: certificate.key }, (request, response) => {
      this.gets.push(request.url ?? '');
      response.writeHead(this.page.status, this.page.headers).end(this.page.body);
    });
    this.server.on('tlsClientError', () => undefined);
    this.server.on('upgrade', (request: IncomingMessage, socket, head) => {
      this.upgrades.push(request.url ?? '');
      if (this.upgradeStatus !== undefined) {
        socket.end(`HTTP/1.1 ${this.upgradeStatus} No\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      this.sockets.handleUpgrade(request, socket, head, (webSocket) => {
        if (request.url === '/websocket/shell') this.onShell?.(webSocket);
        else this.serve(new Connection(webSocket));
      });
    });
    this.on('auth.login_ex', () => ({ response_type: 'SUCCESS', user_info: null, authenticator: 'LEVEL_1' }));
    this.on('core.set_options', () => null);
    this.on('core.ping', () => 'pong');
    this.on('core.subscribe', ({ params, connection }) => {
      const id = `subscription-${++this.subscriptionCount}`;
      connection.subscriptions.set(id, String(params[0]));
      return id;
    });
    this.on('core.unsubscribe', ({ params, connection }) => {
      connection.subscriptions.delete(String(params[0]));
      return null;
    });
  }

  on(method: string, handler: Handler): this {
    this.handlers.set(method, handler);
    return this;
  }

  /** The connection that is in use now. */
  get connection(): Connection {
    const open = this.connections.filter(({ socket }) => socket.readyState === socket.OPEN);
    if (open.length !== 1) throw new Error(`${open.length} connections are open`);
    return open[0]!;
  }

  get openConnections(): number {
    return this.connections.filter(({ socket }) => socket.readyState === socket.OPEN).length;
  }

  methods(): string[] {
    return this.requests.map(({ method }) => method);
  }

  count(method: string): number {
    return this.methods().filter((name) => name === method).length;
  }

  /** Sends an event to every connection that subscribed to the collection. */
  event(collection: string, msg: string, id: unknown, fields?: unknown): void {
    for (const connection of this.connections) {
      if ([...connection.subscriptions.values()].includes(collection)) connection.event(collection, msg, id, fields);
    }
  }

  /** Cuts all connections, as a restart of the middleware does. */
  cut(): void {
    for (const { socket } of this.connections) socket.terminate();
  }

  /** Takes no new connections, and cuts those there are. */
  async down(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets.clients) socket.terminate();
    this.server.closeAllConnections();
    await closed;
  }

  async up(): Promise<void> {
    await this.listen();
  }

  async stop(): Promise<void> {
    if (this.server.listening) await this.down();
  }

  private listen(): Promise<void> {
    return new Promise((resolve) => {
      this.server.listen(this.port, '127.0.0.1', () => {
        this.port = (this.server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  private serve(connection: Connection): void {
    const { socket } = connection;
    this.connections.push(connection);
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) {
        this.violations.push('a binary frame');
        socket.close(1003);
        return;
      }
      void this.receive(connection, data.toString('utf8'));
    });
    this.onConnection?.(connection);
  }

  private async receive(connection: Connection, text: string): Promise<void> {
    const message = JSON.parse(text) as Record<string, unknown>;
    const { id, method, params } = message;
    const longest = method === 'filesystem.file_receive' ? 2_097_152 : connection.loggedIn ? 65_536 : 8_192;
    if (text.length > longest) this.violations.push(`${text.length} characters`);
    if (Object.keys(message).sort().join() !== 'id,jsonrpc,method,params') this.violations.push(`keys in ${text}`);
    if (!Number.isInteger(id) || typeof method !== 'string' || !Array.isArray(params)) {
      this.violations.push(text);
      return;
    }
    const request: Request = { id: id as number, method, params, connection };
    this.requests.push(request);
    const answer = await this.answer(request);
    if (answer === SILENCE || connection.socket.readyState !== connection.socket.OPEN) return;
    connection.send({
      jsonrpc: '2.0',
      id,
      ...(answer instanceof Refusal ? { error: answer.error } : { result: answer }),
    });
  }

  private async answer(request: Request): Promise<unknown> {
    const { method, connection } = request;
    const handler = this.handlers.get(method);
    if (handler === undefined) return noSuchMethod;
    if (!connection.loggedIn && method !== 'auth.login_ex')
      return callError(207, 'ENOTAUTHENTICATED', 'Not authenticated');
    this.mostAtOnce = Math.max(this.mostAtOnce, ++connection.running);
    try {
      const answer = await handler(request);
      const type = (answer as { response_type?: unknown } | null | undefined)?.response_type;
      if (method === 'auth.login_ex' && type === 'SUCCESS') connection.loggedIn = true;
      return answer;
    } finally {
      connection.running--;
    }
  }
}
