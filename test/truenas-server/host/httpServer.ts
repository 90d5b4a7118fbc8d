import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Origin } from '../rpc/connection';
import type { Misbehaviour } from '../misbehaviour';
import type { SelfSigned } from './certificate';

/** nginx lets one upload this much before it says no; the middleware's own limits are far below for all but files. */
const LARGEST_MESSAGE = 64 * 1024 * 1024;

export interface Site {
  /** The versions of the API, newest last. */
  readonly versions: readonly string[];
  readonly bootId: string;
  download(url: string, address: string): { content: Buffer; filename: string } | undefined;
  api(socket: WebSocket, origin: Origin): void;
  shell(socket: WebSocket, origin: Origin): void;
}

/** The NAS's web server, once with TLS and once without, as nginx is on the ports 443 and 80. */
export class HttpServer {
  private readonly sockets = new Set<Socket>();
  private readonly secure: https.Server;
  private readonly plain: http.Server;
  private readonly webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: LARGEST_MESSAGE,
    perMessageDeflate: false,
  });
  private readonly idleCheck: NodeJS.Timeout;
  private readonly traffic = new WeakMap<Socket, { passed: number; at: number }>();
  private isDown = false;

  constructor(
    private readonly site: Site,
    private readonly misbehave: Misbehaviour,
    { key, certificate }: SelfSigned,
  ) {
    this.secure = https.createServer({ key, cert: certificate });
    this.plain = http.createServer();
    for (const server of [this.secure, this.plain]) {
      server.on('connection', (socket: Socket) => this.accepted(socket));
      server.on('request', (request: IncomingMessage, response: ServerResponse) => this.answer(request, response));
      server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
        this.upgrade(request, socket, head),
      );
    }
    this.idleCheck = setInterval(() => this.cutIdle(), 25);
    this.idleCheck.unref();
  }

  async listen(port: number): Promise<{ port: number; plainPort: number }> {
    return { port: await listening(this.secure, port), plainPort: await listening(this.plain, 0) };
  }

  cutAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Drops what is connected, and for so long nothing is behind nginx. */
  async restart(downMs: number): Promise<void> {
    this.isDown = true;
    this.cutAll();
    await new Promise((resolve) => setTimeout(resolve, downMs));
    this.isDown = false;
  }

  async close(): Promise<void> {
    clearInterval(this.idleCheck);
    this.cutAll();
    await Promise.all([this.secure, this.plain].map((server) => new Promise((resolve) => server.close(resolve))));
  }

  private accepted(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.sockets.delete(socket));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { url = '', method } = request;
    if (this.isDown) {
      response.writeHead(502, { 'Content-Type': 'text/html' }).end('<h1>502 Bad Gateway</h1>');
      return;
    }
    const json = (value: unknown): void => {
      response.setHeader('Content-Type', 'application/json; charset=utf-8');
      response.end(JSON.stringify(value));
    };
    if (method === 'GET' && url === '/api/versions') json(this.site.versions);
    else if (method === 'GET' && url === '/api/boot_id') json(this.site.bootId);
    else if (method === 'GET' && url.startsWith('/_download/')) {
      const found = this.site.download(url, addressOf(request));
      if (!found) {
        response.writeHead(403).end();
        return;
      }
      response.setHeader('Content-Type', 'application/octet-stream');
      response.setHeader('Content-Disposition', `attachment; filename="${encodeURIComponent(found.filename)}"`);
      response.end(found.content);
    } else if (method === 'GET' && (url === '/' || url.startsWith('/ui'))) {
      response.setHeader('Content-Type', 'text/html');
      response.end('<!doctype html><title>TrueNAS</title>');
    } else response.writeHead(404, { 'Content-Type': 'text/html' }).end('<h1>404 Not Found</h1>');
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const [path] = (request.url ?? '').split('?');
    const versions = this.site.versions.map((version) => `/api/${version}`);
    const isApi = path === '/api/current' || versions.includes(path ?? '');
    const refusal = this.isDown ? '502 Bad Gateway' : isApi || path === '/websocket/shell' ? null : '404 Not Found';
    if (refusal !== null) {
      socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\n\r\n`);
      return;
    }
    const origin = { address: addressOf(request), isSecure: 'encrypted' in request.socket };
    this.webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      if (this.misbehave.deniedAddress) webSocket.close(1008, 'You are not allowed to access this resource');
      else if (isApi) this.site.api(webSocket, origin);
      else this.site.shell(webSocket, origin);
    });
  }

  /** As nginx' proxy_read_timeout: what counts is that anything passes, pings too. */
  private cutIdle(): void {
    const { idleCutMs } = this.misbehave;
    for (const socket of this.sockets) {
      const passed = socket.bytesRead + socket.bytesWritten;
      const seen = this.traffic.get(socket);
      if (seen?.passed !== passed) this.traffic.set(socket, { passed, at: Date.now() });
      else if (idleCutMs > 0 && Date.now() - seen.at >= idleCutMs) socket.destroy();
    }
  }
}

function addressOf({ socket }: IncomingMessage): string {
  return (socket.remoteAddress ?? '').replace('::ffff:', '');
}

async function listening(server: http.Server | https.Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
