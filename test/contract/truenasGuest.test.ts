import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Duplex, PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectIncus } from '../../src/incus';
import { outputOf } from '../../src/sandbox/exec';
import type { ExecSession, SandboxHost } from '../../src/sandbox/host';
import { silentLog } from '../../src/sandbox/log';
import { parseName } from '../../src/sandbox/name';
import { carry } from '../../src/ssh/carry';
import { guardedStart } from '../../src/app/guardedStart';
import { openSshdSession } from '../../src/ssh/sshdSession';
import { guestShells, type OpenShell } from '../../src/truenas/guest';
import setUpSsh from '../ssh/setUpSandbox.sh';
import { makeTestProject, type TestProject } from '../support/testProject';
import { execContract } from './exec.contract';
import { running, stopped, type Subject } from './sandboxHost.contract';
import { eventually, failure, FORCE, shell, withSandbox } from './support';

/** What TrueNAS sends at once of what a terminal shows. */
const CHUNK_BYTES = 1024;
const MEGABYTE = 1_000_000;

const subject = {} as Subject;
let testProject: TestProject;

beforeAll(async () => {
  testProject = await makeTestProject('pixels-guest');
  const { image } = testProject;
  const { host } = connect();
  Object.assign(subject, { image, connect: () => connect().host, host });
  const common = { image, placement: {}, limits: {}, state: {} };
  await host.create({ ...common, name: running });
  await host.start(running);
  await host.create({ ...common, name: stopped });
});

afterAll(async () => {
  subject.host.close();
  await testProject.remove();
});

describe('exec over a terminal', () => execContract(subject));

describe('the shell of a sandbox', () => {
  let host: SandboxHost;
  let terminals: readonly Duplex[];
  const start = (script: string): Promise<ExecSession> => host.exec(running, { command: ['sh', '-c', script] });
  const isRunning = async (pattern: string): Promise<boolean> =>
    (await outputOf(subject.host, running, { command: ['pgrep', '-f', pattern] })).exitCode === 0;

  beforeEach(() => ({ host, terminals } = connect()));
  afterEach(() => host.close());

  it('carries 20 commands at once', async () => {
    const numbers = Array.from({ length: 20 }, (_, index) => String(index));
    const command = ['sh', '-c', 'cat; exit "$0"'];
    const results = await Promise.all(
      numbers.map((number) => outputOf(host, running, { command: [...command, number] }, undefined, number)),
    );
    expect(results).toEqual(numbers.map((number) => ({ exitCode: Number(number), stdout: number, stderr: '' })));
    expect(terminals).toHaveLength(1);
  });

  it('carries 200 that wait', async () => {
    const sessions = await Promise.all(Array.from({ length: 200 }, () => host.exec(running, { command: ['cat'] })));
    sessions.forEach((session) => session.stdin.end('x'));
    for (const session of sessions) {
      expect(await text(session.stdout)).toBe('x');
      expect(await session.exitCode).toBe(0);
    }
    expect(terminals).toHaveLength(1);
  });

  it('ends the input of a command also after others have come and gone', async () => {
    const waiting = await start('cat');
    for (const word of ['one', 'two', 'three']) expect(await shell(host, running, `echo ${word}`)).toBe(`${word}\n`);
    waiting.stdin.end('x');
    expect(await text(waiting.stdout)).toBe('x');
    expect(await waiting.exitCode).toBe(0);
  });

  it('is the same where the server runs lines', async () => {
    const other = connect({ runsLine: true });
    expect(await shell(other.host, running, 'echo "$PWD"')).toBe('/root\n');
    other.host.close();
  });

  it('carries 100 MB out, and 100 MB in, unchanged', async () => {
    const sum = 'head -c 100000000 /dev/urandom | tee /var/tmp/big | sha256sum';
    const [made] = (await shell(host, running, sum)).split(' ');
    const out = await start('cat /var/tmp/big');
    const received = createHash('sha256');
    await pipeline(out.stdout, received);
    expect(received.digest('hex')).toBe(made);

    const into = await start('rm /var/tmp/big; sha256sum');
    const sent = createHash('sha256');
    await pipeline(function* () {
      for (let count = 0; count < 100; count++) {
        const bytes = randomBytes(MEGABYTE);
        sent.update(bytes);
        yield bytes;
      }
    }, into.stdin);
    expect(await text(into.stdout)).toContain(sent.digest('hex'));
  });

  it('does not let a slow reader, or a command that does not read, keep another one waiting', async () => {
    const unread = await start('cat /dev/zero');
    const deaf = await start('sleep 100');
    deaf.stdin.write(Buffer.alloc(10 * MEGABYTE));
    await sleep(300);
    const begun = Date.now();
    expect(await shell(host, running, 'head -c 3000000 /dev/zero | tr "\\0" x')).toHaveLength(3_000_000);
    expect(Date.now() - begun).toBeLessThan(3_000);
    for (const session of [unread, deaf]) {
      session.close();
      expect(await session.exitCode).toBe(129);
    }
  });

  it('ends with the commands’ errors when the sandbox writes garbage into it, and another is opened', async () => {
    const waiting = await start('sleep 100');
    const garbage = await start('head -c 100000 /dev/urandom >/proc/$PPID/fd/1; sleep 100');
    await failure(waiting.exitCode, 'protocol');
    await failure(garbage.exitCode, 'protocol');
    expect(await text(waiting.stdout)).toBe('');
    expect(await shell(host, running, 'echo again')).toBe('again\n');
    expect(terminals).toHaveLength(2);
  });

  it('can be killed from inside, and another is opened', async () => {
    const waiting = await start('kill -9 $PPID; sleep 54324');
    await failure(waiting.exitCode, 'unreachable');
    expect(await shell(host, running, 'echo again')).toBe('again\n');
    expect(terminals).toHaveLength(2);
    await eventually(3_000, async () => ((await isRunning('sleep 5432[4]')) ? undefined : true));
  });

  it('hangs up what runs in it when the connection is cut', async () => {
    const waiting = await start('sleep 54325');
    await eventually(3_000, async () => ((await isRunning('sleep 5432[5]')) ? true : undefined));
    terminals[0]!.destroy();
    await failure(waiting.exitCode, 'unreachable');
    await eventually(3_000, async () => ((await isRunning('sleep 5432[5]')) ? undefined : true));
  });

  it('waits a second for what goes on in the background, and not for ever', async () => {
    const late = await start('(sleep 0.7; echo late; sleep 100) & echo soon; exit 5');
    expect(await text(late.stdout)).toBe('soon\nlate\n');
    expect(await late.exitCode).toBe(5);
  });

  it('kills what does not end when it is hung up', async () => {
    const stubborn = await start('trap "" HUP; echo ready; while :; do sleep 0.1; done');
    await new Promise((resolve) => stubborn.stdout.once('data', resolve));
    stubborn.close();
    expect(await stubborn.exitCode).toBe(137);
  });

  it('ends with the sandbox, and works again as soon as that is started', async () => {
    await withSandbox(subject, 'tg-stopping', async (name) => {
      await host.start(name);
      const waiting = await host.exec(name, { command: ['sleep', '100'] });
      await shell(host, name, 'true');
      await host.stop(name, FORCE);
      await failure(waiting.exitCode, 'unreachable');
      await failure(host.exec(name, { command: ['true'] }), 'wrong-state');
      await host.start(name);
      expect(await shell(host, name, 'echo again')).toBe('again\n');
    });
  });

  it('needs perl, and says so', async () => {
    await withSandbox(subject, 'tg-noperl', async (name) => {
      await host.start(name);
      await shell(host, name, 'rm /usr/bin/perl');
      const other = connect();
      const error = await failure(other.host.exec(name, { command: ['true'] }), 'unsupported');
      expect(error.message).toContain('perl');
      other.host.close();
    });
  });

  it('carries a login through sshd, and 100 MB there and back', async () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'pixels-guest-'));
    const key = path.join(directory, 'key');
    await outcome('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key);
    const name = parseName('tg-ssh');
    await withSandbox(subject, name, async () => {
      await host.start(name);
      await outputOf(host, name, { command: ['sh', '-c', setUpSsh, 'set-up', fs.readFileSync(`${key}.pub`, 'utf8')] });
      const hostKey = await shell(host, name, 'cat /etc/ssh/ssh_host_ed25519_key.pub');
      const server = net.createServer(
        (socket) =>
          void openSshdSession(host, name, { start: guardedStart }).then((session) =>
            carry(session, { stdin: socket, stdout: socket, stderr: new PassThrough().resume() })
              .catch(() => undefined)
              .finally(() => socket.end()),
          ),
      );
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as net.AddressInfo;
      const known = path.join(directory, 'known');
      fs.writeFileSync(known, `[127.0.0.1]:${port} ${hostKey}`);
      const login = [
        '-F',
        'none',
        '-i',
        key,
        '-p',
        String(port),
        '-o',
        `UserKnownHostsFile=${known}`,
        'pixel@127.0.0.1',
      ];
      const first = await outcome('ssh', ...login, 'id -un; tty; echo problem >&2; exit 42');
      expect(first).toEqual({ exitCode: 42, stdout: 'pixel\nnot a tty\n', stderr: 'problem\n' });
      const bulk = await outcome('sh', '-c', 'head -c 100000000 /dev/zero | ssh "$@" cat | wc -c', 'sh', ...login);
      expect(bulk).toEqual({ exitCode: 0, stdout: '100000000\n', stderr: '' });
      server.close();
    });
    fs.rmSync(directory, { recursive: true });
  });
});

/** Everything from Incus but exec, which goes over terminals like those of TrueNAS; and the terminals, the last one last. */
function connect(how: { runsLine?: boolean } = {}): { host: SandboxHost; terminals: Duplex[] } {
  const { socket, project } = testProject;
  const incus = connectIncus({ kind: 'unix', socket, project }, { log: silentLog });
  const terminals: Duplex[] = [];
  const open: OpenShell = async (name, { word, line }, signal) => {
    const command = how.runsLine === true ? ['sh', '-c', line] : [word];
    const session = await incus.exec(name, { command, tty: { columns: 80, rows: 24 } }, signal);
    const stream = terminalOf(session);
    terminals.push(stream);
    return { ...how, stream, resize: () => Promise.resolve() };
  };
  const shells = guestShells(open, silentLog);
  const close = (): void => {
    shells.forget();
    incus.close();
  };
  return { host: { ...incus, exec: shells.exec.bind(shells), close }, terminals };
}

/** A terminal's bytes in pieces that begin and end anywhere. */
function terminalOf(session: ExecSession): Duplex {
  const stream = new Duplex({
    read: () => session.stdout.resume(),
    write: (chunk: Buffer, _, done) => void session.stdin.write(chunk, () => done()),
    destroy: (error, done) => {
      session.close();
      done(error);
    },
  });
  session.stdout.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length;) {
      const size = 1 + Math.floor(Math.random() * CHUNK_BYTES);
      if (!stream.push(chunk.subarray(at, at + size))) session.stdout.pause();
      at += size;
    }
  });
  session.stdout.once('end', () => stream.push(null));
  return stream;
}

/** What a program on this machine printed, and its exit code. */
async function outcome(
  program: string,
  ...args: string[]
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = new Promise<number>((resolve) => child.once('close', resolve));
  const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { exitCode, stdout, stderr };
}
