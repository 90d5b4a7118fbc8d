import { describe, expect, it } from 'vitest';
import type { IncusConnection } from '../../../src/incus/connection';
import { connectionError } from '../../../src/incus/connectionError';
import { isRefusal, refusal } from '../../../src/incus/errors';
import { sentence } from '../../../src/sandbox/errors';
import { parseLabel, parseName } from '../../../src/sandbox/name';

const about = { name: parseName('web'), label: parseLabel('ready'), path: '/root/file', image: 'debian/12' };

/** Incus' own words, as 6.0.4 says them. */
const KNOWN: readonly [status: number, text: string, kind: string, words: string][] = [
  [
    500,
    'Failed to create "instances" entry: UNIQUE constraint failed: instances.project_id, instances.name',
    'exists',
    '"web"',
  ],
  [500, 'UNIQUE constraint failed: instances_snapshots.instance_id, instances_snapshots.name', 'exists', '"ready"'],
  [404, 'Failed to fetch instance "px-web" in project "default": Instance not found', 'not-found', '"web"'],
  [404, 'Failed to fetch snapshot "ready" of instance "px-web": Instance_snapshot not found', 'not-found', '"ready"'],
  [500, 'Snapshot px-web/ready does not exist', 'not-found', '"ready"'],
  [404, 'Project not found', 'config', 'project'],
  [404, 'Failed to load network "x" for project "default": Network not found', 'not-found', 'network'],
  [500, 'Image not provided for instance creation', 'not-found', '"debian/12"'],
  [
    500,
    'Failed getting remote image info: Failed getting image: Failed parsing stream: refused',
    'unreachable',
    'image server',
  ],
  [500, 'write /var/lib/x: no space left on device', 'no-space', 'full'],
  [500, 'Failed to run: btrfs: Disk quota exceeded', 'no-space', 'full'],
  [500, 'fork/exec: cannot allocate memory', 'no-space', 'memory'],
  [
    500,
    'Snapshot "a" cannot be restored due to subsequent snapshot(s). Set zfs.remove_snapshots to override',
    'unsupported',
    'ZFS',
  ],
  [400, 'Instance is not running', 'wrong-state', 'web is not running'],
  [400, 'Instance is running', 'wrong-state', 'web is running'],
  [500, "Invalid PID '\ufffd'", 'busy', 'web'],
  [500, 'Failed to create instance start operation: Instance is busy running a "delete" operation', 'busy', 'web'],
  [500, 'Failed shutting down instance, status is "Running": context deadline exceeded', 'timeout', 'web'],
  [404, 'Not Found', 'not-found', '/root/file in web'],
  [500, 'sftp: "open /etc: is a directory" (SSH_FX_FAILURE)', 'invalid', 'folder'],
  [403, 'not authorized', 'forbidden', 'allow'],
];

describe('refusal', () => {
  it.each(KNOWN)('%i %s', (status, text, kind, words) => {
    const error = refusal(status, text, about);
    expect(error.kind).toBe(kind);
    expect(error.message).toContain(words);
    expect((error.cause as Error).message).toBe(text);
  });

  it('speaks to people: whole sentences, nothing of the prefix, the database or the daemon', () => {
    for (const [status, text] of KNOWN) {
      expect(sentence(refusal(status, text, about))).toMatch(/^[\w/"][^!]*[.]$/);
      expect(sentence(refusal(status, text, about))).not.toMatch(/px-|UNIQUE|SSH_FX|context|fork/);
      expect(sentence(refusal(status, text, {}))).not.toContain('undefined');
    }
  });

  it('has Incus’ own words where there are no better ones', () => {
    const error = refusal(500, 'Something odd happened', about);
    expect(error).toMatchObject({ kind: 'failed', message: 'Incus could not do that: Something odd happened.' });
  });

  it('is told apart by its reason, not by its words', () => {
    expect(isRefusal(refusal(500, 'The instance is already running', about), 'already-running')).toBe(true);
    expect(isRefusal(refusal(400, 'The instance is already stopped', about), 'already-running')).toBe(false);
    expect(isRefusal(refusal(412, 'ETag does not match', about), 'etag')).toBe(true);
    expect(isRefusal(new Error('The instance is already running'), 'already-running')).toBe(false);
  });
});

describe('connectionError', () => {
  const unix: IncusConnection = { kind: 'unix', socket: '/run/incus/unix.socket' };
  const https: IncusConnection = { kind: 'https', url: 'https://nas:8443', clientCertPem: '', clientKeyPem: '' };
  const of = (code: string, connection: IncusConnection) =>
    connectionError(Object.assign(new Error('words'), { code }), connection);

  it.each([
    [unix, 'EACCES', 'forbidden', 'usermod -aG incus-admin'],
    [unix, 'ENOENT', 'unreachable', 'systemctl start incus'],
    [unix, 'ECONNREFUSED', 'unreachable', 'systemctl start incus'],
    [unix, 'ECONNRESET', 'unreachable', 'running'],
    [https, 'ECONNREFUSED', 'unreachable', 'address'],
    [https, 'ENOTFOUND', 'unreachable', 'address'],
    [https, 'WRONG_CERTIFICATE', 'config', 'incus.server_cert'],
    [https, 'DEPTH_ZERO_SELF_SIGNED_CERT', 'config', 'incus.server_cert'],
    [https, 'ERR_TLS_CERT_ALTNAME_INVALID', 'config', 'incus.server_cert'],
    [https, 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'forbidden', 'incus.client_cert'],
    [unix, 'NO_ANSWER', 'timeout', 'hangs'],
  ])('%o %s is %s', (connection, code, kind, hint) => {
    const error = of(code, connection);
    expect(error.kind).toBe(kind);
    expect(error.message).toContain(connection.kind === 'unix' ? '/run/incus/unix.socket' : 'https://nas:8443');
    expect(error.hint).toContain(hint);
  });
});
