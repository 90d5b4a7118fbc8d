import fs from 'node:fs/promises';
import path from 'node:path';
import { isVariableName } from '../sandbox/environment';
import { isKind, PixelsError, sentence, toPixelsError } from '../sandbox/errors';
import type { SandboxHost } from '../sandbox/host';
import { parseName } from '../sandbox/name';
import { carry, EXIT_NO_CONNECTION } from './carry';
import type { TunnelTarget } from './ownFiles';
import { openSshdSession, type StartSandbox } from './sshdSession';

export interface TunnelOptions {
  /** Connects to the server. */
  readonly open: (target: TunnelTarget) => Promise<SandboxHost>;
  readonly start: StartSandbox;
}

/**
 * What ssh runs as ProxyCommand: carries its connection to the sandbox that the command line names, and ends the process.
 * It knows its server from the tunnel.json in the directory above it, so that it starts without reading any configuration.
 */
export function runTunnel(options: TunnelOptions): void {
  tunnel(process.argv.slice(2), options).then(
    (exitCode) => process.exit(exitCode),
    (error: unknown) => {
      // Whoever cancelled is gone already, and the terminal is somebody else's again.
      const said = isKind(error, 'cancelled') ? '' : `pixels: ${sentence(toPixelsError(error))}\n`;
      process.stderr.write(said, () => process.exit(EXIT_NO_CONNECTION));
    },
  );
}

async function tunnel(args: readonly string[], { open, start }: TunnelOptions): Promise<number> {
  const name = parseName((args.at(-1) ?? '').replace(/\.pixels$/, ''));
  if (args[0] === '--no-address') {
    throw new PixelsError('wrong-state', `${name} has no address.`, {
      hint: `Start it, or wait until it has started: "pixels start ${name}".`,
    });
  }
  const target = await readTarget();
  const host = await open(target);
  const hangUp = new AbortController();
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.once(signal, () => hangUp.abort());
  if (args[0] === '--unlisted') {
    await host.get(name, hangUp.signal);
    throw new PixelsError('config', `${name} is not in the SSH configuration yet.`, {
      hint: 'Run "pixels ssh-config", then connect again.',
    });
  }
  const acceptEnv = Array.isArray(target['acceptEnv']) ? target['acceptEnv'].map(String).filter(isVariableName) : [];
  return carry(await openSshdSession(host, name, { start, acceptEnv }, hangUp.signal), process, hangUp.signal);
}

async function readTarget(): Promise<TunnelTarget> {
  const text = await fs.readFile(path.join(path.dirname(process.argv[1] ?? ''), '..', 'tunnel.json'), 'utf8');
  const target = JSON.parse(text) as TunnelTarget;
  if (target['kind'] === undefined) {
    throw new PixelsError('unsupported', 'This server offers no tunnel.', { hint: 'Set ssh.transport to "direct".' });
  }
  return target;
}
