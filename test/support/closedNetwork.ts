import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { RawIncus } from './rawIncus';

/** The host's address on the bridge that sandboxes are on: what they reach when they reach nothing else. */
export async function bridgeAddress(raw: RawIncus): Promise<string> {
  const networks = (await raw.must('GET', '/1.0/networks?recursion=1')) as {
    managed: boolean;
    type: string;
    config: Record<string, string>;
  }[];
  const bridge = networks.find(({ type, config }) => type === 'bridge' && /\d/.test(config['ipv4.address'] ?? ''));
  return bridge!.config['ipv4.address']!.replace(/\/.*/, '');
}

export interface TestServer {
  readonly url: string;
  close(): Promise<void>;
}

/** A TLS server that answers everything with "hello". */
export async function startTlsServer(address: string, certificate: { cert: string; key: string }): Promise<TestServer> {
  const server = https.createServer(certificate, (_, response) => response.end('hello'));
  server.on('tlsClientError', () => undefined); // a client that does not trust it hangs up
  return listening(server, address, 'https');
}

/** A plain HTTP proxy, as a company's is, which writes down what it was asked for. */
export async function startProxy(address: string): Promise<TestServer & { readonly asked: string[] }> {
  const asked: string[] = [];
  const server = http.createServer((request, response) => {
    const url = request.url ?? '';
    asked.push(url);
    const onward = http.request(url, { method: request.method ?? 'GET', headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  return { ...(await listening(server, address, 'http')), asked };
}

async function listening(server: http.Server | https.Server, address: string, scheme: string): Promise<TestServer> {
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${scheme}://${address}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
