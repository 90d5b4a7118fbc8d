import fs from 'node:fs';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Editor } from '../../../scripts/lib/editor-host.mjs';
import { runLocalExtensionHost, type LocalExtensionHostOptions } from './localExtensionHost';

/**
 * Stands before the editor and makes every window that is opened through it one on the SSH host of its folder
 * (`?folder=vscode-remote://ssh-remote+HOST/path`), as on a desktop: beside the window runs a local extension host, which
 * resolves the host; the window connects to what that says, and opens the folder there. What it changes it changes on the
 * wire, for the VS Code of scripts/lib/editor.mjs.
 */
export class SshWindows {
  /** What the local extension hosts print. */
  readonly hostLog: string;
  private readonly server = http.createServer((request, response) => this.serve(request, response));
  private readonly hosts = new WebSocketServer({ noServer: true });
  private readonly upstream: { readonly host: string; readonly port: number };

  constructor(
    private readonly behind: Editor,
    private readonly options: Pick<LocalExtensionHostOptions, 'editor' | 'env'>,
  ) {
    this.hostLog = path.join(behind.profile.directory, 'local-extension-host.log');
    const { hostname: host, port } = new URL(behind.url);
    this.upstream = { host, port: Number(port) };
    this.server.on('upgrade', (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
      if (request.url === '/local-extension-host') void this.connectHost(request, socket, head);
      else this.tunnel(request, socket, head);
    });
  }

  /** The editor, seen through this. */
  async open(): Promise<Editor> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return { ...this.behind, authority: this.authority, url: `http://${this.authority}/` };
  }

  close(): void {
    for (const host of this.hosts.clients) host.terminate();
    this.server.close();
    this.server.closeAllConnections();
  }

  private get authority(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  private serve(request: http.IncomingMessage, response: http.ServerResponse): void {
    const { pathname } = new URL(request.url!, 'http://editor');
    const rewrite = REWRITES.find(([end]) => pathname.endsWith(end))?.[1];
    const headers = { ...request.headers };
    if (rewrite !== undefined) {
      delete headers['accept-encoding'];
      delete headers['if-none-match'];
    }
    const { method, url } = request;
    const answer = async (original: http.IncomingMessage): Promise<void> => {
      if (rewrite === undefined || original.statusCode !== 200) {
        response.writeHead(original.statusCode!, original.headers);
        original.pipe(response);
        return;
      }
      const settings = fs.readFileSync(path.join(this.behind.profile.directory, 'data/User/settings.json'), 'utf8');
      const body = rewrite(Buffer.concat(await original.toArray()).toString(), settings);
      response.writeHead(200, { 'content-type': original.headers['content-type'] }).end(body);
    };
    const asked = http.request(
      { ...this.upstream, method, path: url, headers, agent: false },
      (original) => void answer(original),
    );
    asked.on('error', () => response.destroy());
    request.pipe(asked);
  }

  /** Everyone on this machine reaches the port, so only who is logged in at the editor gets a process. */
  private async connectHost(request: http.IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { cookie = '' } = request.headers;
    const { status } = await fetch(`${this.behind.url}?ew=true`, { headers: { cookie }, redirect: 'manual' });
    if (status !== 200) {
      socket.destroy();
      return;
    }
    const { directory } = this.behind.profile;
    const env = { ...this.options.env, STAND_IN_SERVER: this.authority };
    this.hosts.handleUpgrade(request, socket, head, (window) =>
      runLocalExtensionHost(window, { editor: this.options.editor, directory, logFile: this.hostLog, env }),
    );
  }

  private tunnel(request: http.IncomingMessage, socket: Duplex, head: Buffer): void {
    const { method, url, rawHeaders } = request;
    const editor = net.connect(this.upstream, () => {
      const headers = rawHeaders.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
      editor.write(`${method!} ${url!} HTTP/1.1\r\n${headers}\r\n`);
      editor.write(head);
      editor.pipe(socket).pipe(editor);
    });
    editor.on('error', () => socket.destroy());
    socket.on('error', () => editor.destroy());
  }
}

type Rewrite = (original: string, settings: string) => string;

/** What is changed, by the end of its path. */
const REWRITES: readonly (readonly [end: string, rewrite: Rewrite])[] = [
  ['/workbench/workbench.js', rewriteWorkbench],
  ['/webWorkerExtensionHostIframe.html', () => fs.readFileSync(HOST_PAGE, 'utf8')],
];

const HOST_PAGE = path.join(import.meta.dirname, 'localExtensionHost.html');

function rewriteWorkbench(original: string, settings: string): string {
  const folder = 'new URL(new URLSearchParams(location.search).get("folder"))';
  let text = original;
  const replace = (place: RegExp, by: (...groups: string[]) => string): void => {
    if (!place.test(text)) throw new Error(`The workbench.js of this VS Code is not as expected: no ${String(place)}`);
    text = text.replace(place, (_, ...groups: string[]) => by(...groups));
  };
  // The window is on the host of its folder instead of on the one that its page came from.
  replace(/remoteAuthority:location\.host/, () => `remoteAuthority:${folder}.host,configurationDefaults:${settings}`);
  // code-server keeps the settings on the host, and resolving the host would wait for them. Without its patches they are in the
  // browser, where this window's own are none.
  replace(
    /(userDataPath\)\.with\(\{scheme:\w+\.)vscodeRemote(\}\),"User"\))/,
    (before, after) => `${before}vscodeUserData${after}`,
  );
  return text;
}
