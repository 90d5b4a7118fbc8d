import { describe, expect, it } from 'vitest';
import { hostEventsOf } from '../../../src/incus/events';

function lifecycle(action: string, source: string, context: Record<string, unknown> = {}) {
  return hostEventsOf({ type: 'lifecycle', metadata: { action, source, context } });
}

function operation(status_code: number, resources: Record<string, string[]>, kind = 'task') {
  return hostEventsOf({ type: 'operation', metadata: { class: kind, status_code, resources } });
}

const web = { kind: 'changed', name: 'web' };

describe('hostEventsOf', () => {
  it('reports what happens to an instance with our prefix', () => {
    for (const action of ['created', 'started', 'stopped', 'shutdown', 'deleted', 'updated', 'restored', 'paused']) {
      expect(lifecycle(`instance-${action}`, '/1.0/instances/px-web')).toEqual([web]);
    }
    expect(lifecycle('instance-started', '/1.0/instances/px-web?project=pixels')).toEqual([web]);
  });

  it('reports what happens to its snapshots as a change of the checkpoints', () => {
    const source = '/1.0/instances/px-web/snapshots/ready?project=pixels';
    expect(lifecycle('instance-snapshot-created', source)).toEqual([{ kind: 'checkpoints-changed', name: 'web' }]);
    expect(lifecycle('instance-snapshot-deleted', '/1.0/instances/px-web')).toEqual([
      { kind: 'checkpoints-changed', name: 'web' },
    ]);
  });

  it('reports both names of an instance that was renamed', () => {
    const events = lifecycle('instance-renamed', '/1.0/instances/px-new', { old_name: 'px-old' });
    expect(events).toEqual([
      { kind: 'changed', name: 'new' },
      { kind: 'changed', name: 'old' },
    ]);
  });

  it('is silent about instances of others, and about everything that is no instance', () => {
    expect(lifecycle('instance-started', '/1.0/instances/web')).toEqual([]);
    expect(lifecycle('instance-started', '/1.0/instances/px-Not-Ours')).toEqual([]);
    expect(lifecycle('image-created', '/1.0/images/px-web')).toEqual([]);
    expect(hostEventsOf({ type: 'logging', metadata: {} })).toEqual([]);
  });

  it('is silent about commands, files and consoles', () => {
    for (const action of ['exec', 'console', 'console-retrieved', 'file-pushed', 'file-retrieved', 'backup-created']) {
      expect(lifecycle(`instance-${action}`, '/1.0/instances/px-web')).toEqual([]);
    }
  });

  it('reports an operation when it is over, whatever came of it', () => {
    const resources = {
      instances: ['/1.0/instances/px-web?project=p', '/1.0/instances/px-db', '/1.0/instances/other'],
    };
    for (const status of [200, 400, 401]) {
      expect(operation(status, resources)).toEqual([web, { kind: 'changed', name: 'db' }]);
    }
    expect(operation(103, resources)).toEqual([]);
    expect(operation(105, resources)).toEqual([]);
  });

  it('is silent about the operations of commands and snapshots, and those of a snapshot that is copied', () => {
    expect(operation(200, { instances: ['/1.0/instances/px-web'] }, 'websocket')).toEqual([]);
    const both = { instances: ['/1.0/instances/px-web'], instances_snapshots: ['/1.0/instances/px-web/snapshots/a'] };
    expect(operation(200, both)).toEqual([]);
    expect(operation(200, { instances: ['/1.0/instances/px-web%2Fa'] })).toEqual([]);
  });
});
