import fs from 'node:fs';
import net from 'node:net';

/** Stands between the editor and the daemon: notes what is asked, and can be taken away like a daemon that dies. */
export class CountingProxy {
  /** Request lines in the order they came: `GET /1.0/instances?recursion=1`. */
  readonly requests: string[] = [];
  private readonly sockets = new Set<net.Socket>();
  private readonly watching = new Set<net.Socket>();
  private server: net.Server | undefined;

  constructor(
    readonly path: string,
    private readonly daemon: string,
  ) {}

  /** Connections that are open now, also those that only wait to be used again. */
  get connections(): number {
    return this.sockets.size;
  }

  /** Connections that listen to the daemon's events now. */
  get watchers(): number {
    return this.watching.size;
  }

  async open(): Promise<void> {
    fs.rmSync(this.path, { force: true });
    const server = net.createServer((client) => this.serve(client));
    await new Promise<void>((resolve) => server.listen(this.path, resolve));
    this.server = server;
  }

  /** Ends every connection and refuses new ones. */
  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    for (const socket of this.sockets) socket.destroy();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  private serve(client: net.Socket): void {
    const daemon = net.connect(this.daemon);
    this.sockets.add(client);
    client.on('data', (chunk: Buffer) => {
      for (const [, line] of chunk.toString('latin1').matchAll(/^([A-Z]+ \/\S*) HTTP\/1\.1\r$/gm)) {
        this.requests.push(line!);
        if (line!.startsWith('GET /1.0/events')) this.watching.add(client);
      }
    });
    client.pipe(daemon).pipe(client);
    client.on('close', () => {
      this.sockets.delete(client);
      this.watching.delete(client);
      daemon.destroy();
    });
    daemon.on('close', () => client.destroy());
    for (const socket of [client, daemon]) socket.on('error', () => undefined);
  }
}
