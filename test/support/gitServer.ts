import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeAuthority } from './authority';

/** A repository over HTTPS, with one file `README` that says "cloned". */
export interface GitServer {
  readonly url: string;
  /** Who has signed its certificate, PEM. */
  readonly authority: string;
  close(): Promise<void>;
}

/** @param address where it listens. Files as they are are enough for git ("dumb HTTP", gitprotocol-http(5)). */
export async function gitServer(address: string): Promise<GitServer> {
  const directory = mkdtempSync(path.join(tmpdir(), 'pixels-git-'));
  const git = (...args: string[]) => execFileSync('git', ['-C', directory, ...args], { stdio: 'ignore' });
  const who = ['-c', 'user.name=test', '-c', 'user.email=test@example.org'];
  git('init', '--initial-branch=main');
  writeFileSync(path.join(directory, 'README'), 'cloned\n');
  git('add', 'README');
  git(...who, 'commit', '--message=one');
  git('update-server-info');
  const authority = makeAuthority();
  const root = path.join(directory, '.git');
  const server = createServer(authority.sign(`IP:${address}`), (request, response) => {
    const file = path.join(root, new URL(request.url ?? '/', 'https://any').pathname);
    const isThere = file.startsWith(`${root}/`) && existsSync(file) && statSync(file).isFile();
    response.writeHead(isThere ? 200 : 404).end(isThere ? readFileSync(file) : '');
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return {
    url: `https://${address}:${(server.address() as AddressInfo).port}/`,
    authority: authority.pem,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      authority.remove();
      rmSync(directory, { recursive: true });
    },
  };
}
