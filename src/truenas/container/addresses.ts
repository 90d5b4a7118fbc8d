import { isIP } from 'node:net';
import { text } from 'node:stream/consumers';
import { isKind } from '../../sandbox/errors';
import type { Log } from '../../sandbox/log';
import type { SandboxName } from '../../sandbox/name';
import { ipv4First } from '../common/addresses';
import type { GuestShells } from '../guest';
import { within } from '../within';
import { statusOf } from './sandboxes';
import type { Container } from './wire';

/** Where there is no `ip`, there are no names of interfaces. */
const SCRIPT = 'ip -o addr show scope global 2>/dev/null || hostname -I';

/** A sandbox that is just starting answers late or not at all; it has no address then either. */
const LIMIT_MS = 3_000;
/** DHCP may give another one. */
const KEPT_FOR_MS = 60_000;

interface Known {
  readonly addresses: readonly string[];
  readonly at: number;
  /** Of its init: another one is another start. */
  readonly pid: number | null | undefined;
}

/**
 * Addresses of running containers, of which 26 knows nothing: a command inside says them. That takes a shell, so only
 * who wants to know about one sandbox asks; a list shows what is known.
 */
export class Addresses {
  private readonly known = new Map<SandboxName, Known>();
  private readonly asking = new Map<SandboxName, Promise<readonly string[]>>();

  constructor(
    private readonly shells: Pick<GuestShells, 'exec'>,
    private readonly log: Log,
  ) {}

  /** Without asking. */
  of(name: SandboxName, container: Pick<Container, 'status'>): readonly string[] {
    return this.recall(name, container)?.addresses ?? [];
  }

  /** Asks when it is not known, or was long ago. Empty when nobody answers. */
  async ask(name: SandboxName, container: Pick<Container, 'status'>, signal?: AbortSignal): Promise<readonly string[]> {
    if (statusOf(container) !== 'running') return [];
    const known = this.recall(name, container);
    if (known !== undefined && Date.now() - known.at < KEPT_FOR_MS) return known.addresses;
    let answer = this.asking.get(name);
    if (answer === undefined) {
      answer = this.askInside(name, container).finally(() => this.asking.delete(name));
      this.asking.set(name, answer);
    }
    return within(answer, { signal });
  }

  forget(name: SandboxName): void {
    this.known.delete(name);
  }

  private recall(name: SandboxName, container: Pick<Container, 'status'>): Known | undefined {
    const known = this.known.get(name);
    return statusOf(container) === 'running' && known?.pid === container.status.pid ? known : undefined;
  }

  private async askInside(name: SandboxName, container: Pick<Container, 'status'>): Promise<readonly string[]> {
    const before = this.of(name, container);
    const remember = (addresses: readonly string[]): readonly string[] => {
      this.known.set(name, { addresses, at: Date.now(), pid: container.status.pid });
      return addresses;
    };
    try {
      const command = ['sh', '-c', SCRIPT];
      const session = await this.shells.exec(name, { command }, AbortSignal.timeout(LIMIT_MS));
      session.stdin.end();
      session.stderr.resume();
      const [stdout] = await Promise.all([text(session.stdout), session.exitCode]);
      const addresses = parseAddresses(stdout);
      return addresses.length === 0 ? addresses : remember(addresses);
    } catch (error) {
      this.log.debug(`the addresses of ${name}: ${String(error)}`);
      return isKind(error, 'unsupported') ? remember([]) : before;
    }
  }
}

/**
 * What `ip -o addr` or `hostname -I` says, IPv4 first. Of the first only the container's own NICs, which are named `eth0`
 * and so on, and not the bridges that something inside has made; unless there are no others.
 */
export function parseAddresses(output: string): string[] {
  const found = output.split('\n').flatMap((line) => {
    const [, device, address] = /^\d+:\s+(\S+)\s+inet6?\s+([^/\s]+)/.exec(line) ?? [];
    if (device !== undefined && address !== undefined) {
      return /\b(tentative|deprecated)\b/.test(line) ? [] : [{ device, address }];
    }
    return line.split(/\s+/).map((word) => ({ device: '', address: word }));
  });
  const valid = found.filter(({ address }) => isIP(address) !== 0);
  const own = valid.filter(({ device }) => /^eth\d/.test(device));
  return ipv4First((own.length > 0 ? own : valid).map(({ address }) => address));
}
