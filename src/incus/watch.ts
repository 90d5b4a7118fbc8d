import type WebSocket from 'ws';
import { PixelsError } from '../sandbox/errors';
import type { Closable, HostEvent } from '../sandbox/host';
import type { Log } from '../sandbox/log';
import type { IncusApi, OpenWebSocket } from './api';
import { hostEventsOf } from './events';
import { firstStep, reduceLink, type LinkEffect, type LinkInput, type LinkState } from './reconnect';
import { eventSchema, parseJson, parseWire } from './wire';

/** See `SandboxHost.watch`. One WebSocket for as long as it is watched, and a timer only while it is broken. */
export function watch(api: IncusApi, log: Log, listener: (event: HostEvent) => void): Closable {
  let begun: Closable | undefined;
  let isClosed = false;
  void api.webSockets().then((open) => {
    if (!isClosed && !api.closed.aborted) begun = begin({ api, log, open, listener });
  });
  return {
    close() {
      isClosed = true;
      begun?.close();
    },
  };
}

interface Watching {
  readonly api: IncusApi;
  readonly log: Log;
  readonly open: OpenWebSocket;
  readonly listener: (event: HostEvent) => void;
}

function begin(watching: Watching): Closable {
  const { api, listener } = watching;
  let state: LinkState = firstStep.state;
  let socket: WebSocket | undefined;
  let timer: NodeJS.Timeout | undefined;

  function happen(input: LinkInput): void {
    const step = reduceLink(state, input);
    state = step.state;
    step.effects.forEach(perform);
  }

  function perform(effect: LinkEffect): void {
    switch (effect.kind) {
      case 'connect':
        socket = connect(watching, happen);
        break;
      case 'disconnect':
        clearTimeout(timer);
        socket?.terminate();
        break;
      case 'wait':
        timer = setTimeout(() => happen({ kind: 'waited' }), effect.delayMs);
        break;
      case 'report':
        listener(effect.event);
    }
  }

  function close(): void {
    api.closed.removeEventListener('abort', close);
    happen({ kind: 'closed' });
  }

  api.closed.addEventListener('abort', close);
  firstStep.effects.forEach(perform);
  return { close };
}

function connect({ api, log, open, listener }: Watching, happen: (input: LinkInput) => void): WebSocket {
  const socket = open('/events', { type: 'lifecycle,operation' }, 'events');
  let error: unknown = new PixelsError('unreachable', 'The connection to Incus broke.', {
    hint: 'See whether it is running.',
  });
  socket.on('open', () => happen({ kind: 'opened' }));
  socket.on('error', (reason) => (error = api.brokenConnection(reason)));
  socket.on('close', () => happen({ kind: 'lost', error }));
  socket.on('message', (data: Buffer) => {
    for (const event of eventsIn(data, log)) listener(event);
  });
  return socket;
}

/** An event that cannot be read must not end the watch. */
function eventsIn(data: Buffer, log: Log): HostEvent[] {
  try {
    return hostEventsOf(parseWire(eventSchema, parseJson(data.toString('utf8'), 'event'), 'event'));
  } catch (error) {
    log.warn(`incus event not understood: ${error instanceof PixelsError ? String(error.cause) : String(error)}`);
    return [];
  }
}
