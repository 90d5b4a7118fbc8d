import type { HostEvent } from '../sandbox/host';
import { nameOfInstance } from '../sandbox/name';
import type { WireEvent } from './wire';

/**
 * Lifecycle events that say nothing about what Pixels shows: commands and file transfers, of which an SSH session has many.
 */
const IRRELEVANT = /^instance-(exec|console|console-.*|file-.*|log-.*|metadata-.*|backup-.*)$/;

/** Operations have this status and above when they are over (Success, Failure, Cancelled). */
const OVER = 200;

/**
 * What one of Incus' events means to Pixels. A lifecycle event comes when something has begun to change, an operation's last
 * event when it has settled: both are reported, so that nobody is left with a state of in between.
 */
export function hostEventsOf({ type, metadata }: WireEvent): HostEvent[] {
  if (type === 'lifecycle') return lifecycleEvents(metadata);
  if (type === 'operation') return operationEvents(metadata);
  return [];
}

function lifecycleEvents({ action = '', source = '', context }: WireEvent['metadata']): HostEvent[] {
  if (!action.startsWith('instance-') || IRRELEVANT.test(action)) return [];
  const kind = action.startsWith('instance-snapshot-') ? 'checkpoints-changed' : 'changed';
  const before = action === 'instance-renamed' ? context?.['old_name'] : undefined;
  const instances = [instanceIn(source), ...(typeof before === 'string' ? [before] : [])];
  return instances.flatMap((instance) => eventFor(kind, instance));
}

function operationEvents({ class: kind, status_code = 0, resources }: WireEvent['metadata']): HostEvent[] {
  if (kind !== 'task' || status_code < OVER) return [];
  // Of a snapshot's operation, its own lifecycle event says all.
  if (resources?.['instances_snapshots'] !== undefined) return [];
  const instances = resources?.['instances'] ?? [];
  return instances.flatMap((path) => eventFor('changed', instanceIn(path)));
}

function eventFor(kind: 'changed' | 'checkpoints-changed', instance: string | undefined): HostEvent[] {
  const name = instance === undefined ? undefined : nameOfInstance(instance);
  return name === undefined ? [] : [{ kind, name }];
}

/** `/1.0/instances/px-web/snapshots/ready?project=p` is about `px-web`. */
function instanceIn(path: string): string | undefined {
  const [, encoded] = /^\/1\.0\/instances\/([^/?]+)/.exec(path) ?? [];
  return encoded === undefined ? undefined : decodeURIComponent(encoded);
}
