import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { PixelsError } from '../../../src/sandbox/errors';
import type { SandboxName } from '../../../src/sandbox/name';
import { SshIntegration, type HostEntry } from '../../../src/ssh';

export const KEY_A = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO7+9cFWdpC6DqZXbYLrGnPoZyAUUJX8/bVLy7RpJ4XW';
export const KEY_B = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKs2xTjOgmnIcSDjqNwyfZ7TQgSxqVrzoAwWjRcHYCxR';

/** A stand-in for dist/, whose tunnel says what it was called with, and `more`. */
export function makeBuild(home: string, more = ''): string {
  const build = path.join(home, 'build');
  fs.mkdirSync(path.join(build, 'chunks'), { recursive: true });
  const chunk = `chunks/say-${more}.js`;
  fs.writeFileSync(
    path.join(build, chunk),
    `exports.say = (words) => process.stdout.write(words.join(' ') + '${more}');`,
  );
  fs.writeFileSync(path.join(build, 'tunnel.js'), `require('./${chunk}').say(process.argv.slice(2));\n`);
  fs.writeFileSync(path.join(build, 'tunnel.modules'), `tunnel.js\n${chunk}\n`);
  return build;
}

/** A home directory of its own for the running test, with nothing in it but a stand-in for the build. */
export function makeHome(name = 'pixels-home-'): { home: string; ssh: SshIntegration; userConfig: string } {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), name));
  onTestFinished(() => fs.rmSync(home, { recursive: true, force: true }));
  const build = makeBuild(home);
  const ssh = new SshIntegration({ home, build });
  return { home, ssh, userConfig: ssh.paths.userConfig };
}

export function entry(name: string, more: Partial<HostEntry> = {}): HostEntry {
  return { name: name as SandboxName, user: 'pixel', hostKey: KEY_A, transport: 'tunnel', ...more };
}

/** What OpenSSH makes of a host, as `key -> value` in lower case. */
export function resolvedBySsh(configFile: string, alias: string): Record<string, string> {
  const output = execFileSync('ssh', ['-G', '-F', configFile, alias], { encoding: 'utf8', stdio: 'pipe' });
  return Object.fromEntries(
    output.split('\n').map((line) => [line.split(' ')[0]!, line.split(' ').slice(1).join(' ')]),
  );
}

/** The PixelsError that a promise ends with. */
export async function errorOf(promise: Promise<unknown>): Promise<PixelsError> {
  const error: unknown = await promise.then(
    () => new Error('it succeeded'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof PixelsError) return error;
  throw error;
}

/** Every file below a directory with its content, to see that nothing else changed. */
export function snapshot(directory: string): Record<string, string> {
  return Object.fromEntries(
    fs
      .readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((found) => !found.isDirectory())
      .map((found) => path.join(found.parentPath, found.name))
      .sort()
      .map((file) => [path.relative(directory, file), fs.readFileSync(file, 'latin1')]),
  );
}
