// A process that does one use case and kills itself, as by SIGKILL, on the way: at one of its calls of the port, or at one of
// the messages that such a call sends to a TrueNAS. test/contract/killed.test.ts bundles and runs it, with its order on
// standard input. Without `kill` it prints the calls that the use case makes, with their messages.
import { text } from 'node:stream/consumers';
import WebSocket from 'ws';
import { guestSetup } from '../../src/provision';
import type { SandboxHost } from '../../src/sandbox/host';
import { Lifecycle } from '../../src/sandbox/lifecycle';
import { parseLabel, parseName, parseSource } from '../../src/sandbox/name';
import { connectTo, type Place } from './place';

export interface KilledChildOrder {
  readonly place: Place;
  readonly publicKey: string;
  readonly use:
    | { readonly action: 'create'; readonly name: string; readonly image: string }
    | { readonly action: 'clone'; readonly name: string; readonly source: string }
    | { readonly action: 'restore'; readonly name: string; readonly label: string }
    | { readonly action: 'destroy'; readonly name: string };
  readonly kill?: KillPoint;
}

/** So long after it was begun, or instead of it. */
export interface KillPoint {
  /** The number of the call, from 1. */
  readonly call: number;
  /** The first message of this method within the call; without it, the call itself. */
  readonly message?: string;
  readonly afterMs: number | 'before';
}

/** What a use case does to the server. */
export interface MadeCall {
  readonly name: keyof SandboxHost;
  /** Methods, in the order of their messages; none on Incus. */
  readonly messages: string[];
}

const order = JSON.parse(await text(process.stdin)) as KilledChildOrder;
const calls: MadeCall[] = [];
hookMessages();
const publicKey = (): Promise<string> => Promise.resolve(order.publicKey);
const lifecycle = new Lifecycle(hooked(connectTo(order.place)), guestSetup({ user: 'pixel', publicKey }));
await use();
process.stdout.write(JSON.stringify(calls), () => process.exit(0));

function hooked(target: SandboxHost): SandboxHost {
  return new Proxy(target, {
    get(object, property: keyof SandboxHost) {
      const method = Reflect.get(object, property) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        calls.push({ name: property, messages: [] });
        reached(undefined);
        return method.apply(object, args);
      };
    },
  });
}

function hookMessages(): void {
  const prototype = WebSocket.prototype as unknown as { send: (...args: unknown[]) => void };
  const { send } = prototype;
  prototype.send = function (this: WebSocket, ...args: unknown[]) {
    const [, method] = /^\{"jsonrpc".*?"method":"([^"]+)"/.exec(String(args[0])) ?? [];
    if (method !== undefined) {
      const isFirst = calls.at(-1)?.messages.includes(method) === false;
      calls.at(-1)?.messages.push(method);
      if (isFirst) reached(method);
    }
    send.apply(this, args);
  };
}

/** The use case is at its last call so far, or at a message of it. */
function reached(message: string | undefined): void {
  const { kill } = order;
  if (kill === undefined || kill.call !== calls.length || kill.message !== message) return;
  if (kill.afterMs === 'before') process.kill(process.pid, 'SIGKILL');
  else setTimeout(() => process.kill(process.pid, 'SIGKILL'), kill.afterMs);
}

async function use(): Promise<void> {
  const { use: wanted } = order;
  const name = parseName(wanted.name);
  const rest = { name, limits: {}, provision: true };
  switch (wanted.action) {
    case 'create':
      await lifecycle.create({ ...rest, source: { image: wanted.image, placement: {} } });
      break;
    case 'clone':
      await lifecycle.create({ ...rest, source: { from: parseSource(wanted.source) } });
      break;
    case 'restore':
      await lifecycle.restore(name, parseLabel(wanted.label));
      break;
    case 'destroy':
      await lifecycle.destroy(name);
  }
}
