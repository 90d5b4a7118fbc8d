import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyCommand, temporarySnapshot, type CopyOrder } from '../../../../src/truenas/common/copyCommand';

const order: CopyOrder = {
  source: 'tank/.ix-virt/containers/px-a',
  target: 'tank/.ix-virt/containers/px-b',
  snapshot: 'px-ready',
  linked: false,
  rootDirectory: 'rootfs',
};

describe('the command that copies', () => {
  it('is one line of POSIX shell without anything that cron changes', () => {
    const command = copyCommand(order);
    expect(command).not.toMatch(/[\n%']/);
    execFileSync('sh', ['-n', '-c', command]);
  });

  it.each([
    ['source', 'tank/data'],
    ['source', 'tank/.ix-virt/containers/a'],
    ['source', 'tank/.ix-virt/containers/px-a/child'],
    ['source', 'tank/.ix-virt/containers/px-a b'],
    ['source', 'my tank/.ix-virt/containers/px-a'],
    ['source', '-tank/.ix-virt/containers/px-a'],
    ['target', 'tank/.ix-virt/containers/px-a;reboot'],
    ['target', 'tank/.ix-virt/containers/px-$(id)'],
    ['target', 'tank'],
    ['target', 'tank/.ix-virt/containers/px-b\n'],
    ['snapshot', 'px-ready@x'],
    ['snapshot', '-r'],
    ['snapshot', 'a b'],
    ['snapshot', '$(id)'],
    ['snapshot', ''],
  ])('is not made for a %s named %j', (field, name) => {
    expect(() => copyCommand({ ...order, [field]: name })).toThrow(expect.objectContaining({ kind: 'unsupported' }));
  });

  describe('where zfs and mount are stand-ins that note what they are asked', () => {
    let folder: string;

    beforeEach(() => {
      folder = mkdtempSync(path.join(tmpdir(), 'pixels-copy-'));
      mkdirSync(path.join(folder, 'bin'));
      // "mount" gives the directory a content, as a data set that was prepared by somebody evil would have it.
      program(
        'zfs',
        `echo "zfs $*" >>"$LOG"; case $FAILS in "$1") exit 3 ;; esac; case $1 in send) echo stream ;; receive) cat >/dev/null ;; esac`,
      );
      program('mount', `echo "mount $1 $2 $3" >>"$LOG"; cp -a "$CONTENT/." "$4"`);
      program('umount', `echo umount >>"$LOG"; cp -a "$1/." "$AFTER"; rm -rf "$1"/*`);
      for (const directory of ['content/rootfs/etc', 'after'])
        mkdirSync(path.join(folder, directory), { recursive: true });
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    it('copies by send and receive, and says when it is complete', () => {
      expect(run(copyCommand(order))).toEqual([
        'zfs list -H -o name tank/.ix-virt/containers/px-a@px-ready',
        'zfs list -H -o name tank/.ix-virt/containers/px-b',
        'zfs destroy -r tank/.ix-virt/containers/px-b',
        'zfs receive -u -o canmount=noauto -o mountpoint=legacy tank/.ix-virt/containers/px-b',
        'zfs send tank/.ix-virt/containers/px-a@px-ready',
        'zfs destroy tank/.ix-virt/containers/px-b@px-ready',
        'mount -t zfs tank/.ix-virt/containers/px-b',
        'umount',
        'zfs snapshot tank/.ix-virt/containers/px-b@pixels-copied',
      ]);
    });

    it('takes a temporary snapshot and removes it, also when it fails', () => {
      const command = copyCommand({ ...order, snapshot: temporarySnapshot('1a2b') });
      const fails = run(command, 'receive');
      expect(fails).toContain('zfs send tank/.ix-virt/containers/px-a@pixels-copy-1a2b');
      expect(fails.at(-1)).toBe('zfs destroy tank/.ix-virt/containers/px-a@pixels-copy-1a2b');
      expect(run(command, 'list')).toContain('zfs snapshot tank/.ix-virt/containers/px-a@pixels-copy-1a2b');
    });

    it('touches nothing when the checkpoint is gone', () => {
      expect(run(copyCommand(order), 'list')).toEqual(['zfs list -H -o name tank/.ix-virt/containers/px-a@px-ready']);
    });

    it('clones instead when it is to be a linked clone, and keeps what that depends on', () => {
      const calls = run(copyCommand({ ...order, snapshot: temporarySnapshot('1a2b'), linked: true }));
      expect(calls).toContain(
        'zfs clone -o canmount=noauto -o mountpoint=legacy tank/.ix-virt/containers/px-a@pixels-copy-1a2b tank/.ix-virt/containers/px-b',
      );
      expect(calls.join('\n')).not.toMatch(/send|destroy .*@/);
    });

    it('empties the machine-id and removes the one of D-Bus', () => {
      write('content/rootfs/etc/machine-id', 'source');
      write('content/rootfs/etc/hostname', 'a');
      write('content/rootfs/var/lib/dbus/machine-id', 'source');
      write('content/rootfs/var/lib/other/machine-id', 'other');
      run(copyCommand(order));
      expect(read('after/rootfs/etc/machine-id')).toBe('');
      expect(read('after/rootfs/etc/hostname')).toBe('a');
      expect(read('after/rootfs/var/lib/other/machine-id')).toBe('other');
      expect(() => read('after/rootfs/var/lib/dbus/machine-id')).toThrow('ENOENT');
    });

    it('finds the machine-id where the data set itself is the root', () => {
      write('content/etc/machine-id', 'source');
      run(copyCommand({ ...order, rootDirectory: '.' }));
      expect(read('after/etc/machine-id')).toBe('');
    });

    it.each([
      ['the file', 'etc/machine-id', 'victim/machine-id'],
      ['its directory', 'etc', 'victim'],
      ['the file of D-Bus', 'var/lib/dbus/machine-id', 'victim/machine-id'],
      ['the directory of D-Bus', 'var/lib/dbus', 'victim'],
      ['a directory above', 'var', 'victim'],
    ])('never follows a link that is in place of %s', (_, link, target) => {
      for (const victim of ['victim/machine-id', 'victim/lib/dbus/machine-id']) write(victim, 'of the NAS');
      rmSync(path.join(folder, 'content/rootfs'), { recursive: true });
      mkdirSync(path.join(folder, 'content/rootfs', path.dirname(link)), { recursive: true });
      symlinkSync(path.join(folder, target), path.join(folder, 'content/rootfs', link));
      run(copyCommand(order));
      expect(read('victim/machine-id')).toBe('of the NAS');
      expect(read('victim/lib/dbus/machine-id')).toBe('of the NAS');
    });

    it('leaves nothing mounted when something fails on the mount', () => {
      program('truncate', 'exit 1');
      write('content/rootfs/etc/machine-id', 'source');
      const calls = run(copyCommand(order));
      expect(calls.at(-1)).toBe('umount');
      expect(calls).not.toContain('zfs snapshot tank/.ix-virt/containers/px-b@pixels-copied');
    });

    function run(command: string, fails = ''): string[] {
      const log = path.join(folder, 'log');
      writeFileSync(log, '');
      const env = {
        PATH: `${path.join(folder, 'bin')}:${process.env['PATH'] ?? ''}`,
        LOG: log,
        FAILS: fails,
        CONTENT: path.join(folder, 'content'),
        AFTER: path.join(folder, 'after'),
        TMPDIR: folder,
      };
      try {
        execFileSync('sh', ['-c', command], { env, stdio: 'pipe' });
      } catch {
        // what it did tells
      }
      const lines = readFileSync(log, 'utf8').trim().split('\n');
      // The two ends of a pipe begin in any order.
      return lines.map((line, index) => {
        const [next = '', before = ''] = [lines[index + 1], lines[index - 1]];
        if (line.startsWith('zfs send') && next.startsWith('zfs receive')) return next;
        return line.startsWith('zfs receive') && before.startsWith('zfs send') ? before : line;
      });
    }
    function program(name: string, script: string): void {
      writeFileSync(path.join(folder, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    }
    function write(file: string, content: string): void {
      mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
      writeFileSync(path.join(folder, file), content);
    }
    function read(file: string): string {
      return readFileSync(path.join(folder, file), 'utf8');
    }
  });
});
