import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PixelsCommand } from '../support/pixelsCommand';
import { incus, trueNas, type Server } from '../support/servers';
import { makeTestProject, type TestProject } from '../support/testProject';

/*
 * What the sandbox's user can do as root while an egress policy is in force, in a real sandbox: what is meant to work, and the ways
 * from there to a root that could switch the policy off.
 */

const NAME = 'guarded';

let project: TestProject;
let server: Server;
let pixels: PixelsCommand;

/** As the user, and what it prints: both streams, then its exit code. */
async function asUser(script: string): Promise<string> {
  const { stdout, stderr, exit } = await pixels.run(['exec', NAME, '--', 'bash', '-c', script]);
  return `${stdout.toString()}${stderr}(${exit})`;
}

/** Where the sandbox's packages come from, by name and by address. */
async function packageSources(): Promise<string[]> {
  const hosts = `cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | sed 's/#.*//'; apt-config dump | grep -i '::proxy'`;
  const text = await asUser(`{ ${hosts}; } | grep -oE 'https?://[^/" :]+' | sed 's|.*//||' | sort -u`);
  const names = text.split('\n').filter((line) => /^[\w.-]+$/.test(line));
  const addresses = await asUser(
    `for name in ${names.join(' ')}; do getent ahostsv4 "$name" | sed 's/ .*//'; done | sort -u`,
  );
  return [...names, ...addresses.split('\n').filter((line) => /^\d+\.\d+\.\d+\.\d+$/.test(line))];
}

/** A unit that root has made, of a program that the user may change. */
async function lendAProgram(): Promise<void> {
  const unit = '[Service]\\nType=oneshot\\nExecStart=/home/pixel/evil\\n[Install]\\nWantedBy=multi-user.target\\n';
  expect(
    await asUser(
      `printf '${unit}' | sudo tee /etc/systemd/system/lent.service >/dev/null; sudo systemctl daemon-reload`,
    ),
  ).toBe('(0)');
}

/** Without the addresses that the resolver has learned meanwhile. */
async function rulesInForce(): Promise<string> {
  const rules = await asUser('sudo -n nft list table inet pixels');
  expect(rules).toMatch(/^table inet pixels/);
  return rules.replace(/\n\s*elements = \{[^}]*\}/g, '').replace(/packets \d+ bytes \d+/g, '');
}

const SERVERS = [
  ['Incus', incus],
  ['TrueNAS 25.10', trueNas('25.10.5')],
] as const;

describe.each(SERVERS)('on %s,', (_server, open) => {
  beforeAll(async () => {
    project = await makeTestProject('pixels-egress-sudo');
    server = await open(project);
    pixels = new PixelsCommand(server);
    pixels.env['PIXELS_NETWORK_ENFORCEMENT'] = 'guest'; // before a gateway, root may do what he likes
    await pixels.must('create', NAME);
    const sources = await packageSources();
    await lendAProgram();
    await pixels.must('network', 'set', NAME, 'allowlist');
    await pixels.must('network', 'allow', NAME, sources.join(','));
  });

  afterAll(async () => {
    pixels.remove();
    await server.close();
    await project.remove();
  });

  describe('under a policy, sudo', () => {
    it.each([
      [
        'sudo -n safe-apt update -qq && sudo -n apt-get install -y --no-install-recommends hello >/dev/null && hello',
        'Hello, world!',
      ],
      ['sudo -n apt remove hello >/dev/null && ! command -v hello && echo gone', 'gone'],
      ['sudo -n systemctl restart ssh.service && systemctl is-active ssh', 'active'],
      ['sudo -n systemctl status ssh | sed -n 1p', 'OpenBSD Secure Shell server'],
      ['sudo -n journalctl -u ssh -n 20 -o cat', 'Secure Shell'],
      ['sudo -n nft list table inet pixels | sed -n 1p', 'table inet pixels {'],
    ])('lets %s', async (script, printed) => {
      const said = await asUser(`set -o pipefail; ${script}`);
      expect(said).toContain(printed);
      expect(said).toMatch(/\(0\)$/);
    });

    // Each would leave a file that only root can make. $proof is its path, $evil a script that makes it.
    const ways: readonly (readonly [string, string])[] = [
      [
        'another program',
        'sudo -n sh $evil; sudo -n /bin/sh $evil; sudo -n -s $evil; sudo -n -i $evil; sudo -n bash $evil',
      ],
      [
        'another user on the way',
        'sudo -n -u nobody sh $evil; sudo -n -u "#0" sh $evil; sudo -n -u "#-1" sh $evil; sudo -n -g root sh $evil',
      ],
      [
        'sudoedit',
        'EDITOR=$evil sudo -n -e /etc/hosts; EDITOR=$evil sudoedit -n /etc/hosts; SUDO_EDITOR=$evil sudo -n -e /etc/passwd',
      ],
      ['su', 'echo | su root -c "sh $evil"'],
      [
        'a PATH of its own',
        'mkdir -p bin; cp $evil bin/systemctl; cp $evil bin/apt-get; cp $evil bin/env; PATH=$PWD/bin:$PATH sudo -n systemctl status ssh; sudo -n PATH=$PWD/bin systemctl status; sudo -n env PATH=$PWD/bin systemctl status',
      ],
      [
        'the path of the real program',
        'sudo -n /usr/bin/systemctl status; sudo -n /usr/bin/apt-get update; sudo -n /usr/sbin/nft list ruleset && sudo -n /usr/bin/touch $proof',
      ],
      [
        'a preloaded library',
        'printf "__attribute__((constructor)) void f(){}" >x.c; LD_PRELOAD=$PWD/x.so sudo -n systemctl status; sudo -n LD_PRELOAD=$PWD/x.so systemctl status; sudo -n ENV=$evil BASH_ENV=$evil safe-apt update',
      ],
      [
        'variables that sh reads',
        'ENV=$evil BASH_ENV=$evil SHELLOPTS=xtrace PS4="\\$(sh $evil)" sudo -n -E systemctl status ssh; sudo -n --preserve-env=PS4 systemctl status ssh',
      ],
      [
        'apt options',
        'sudo -n apt-get -o APT::Update::Pre-Invoke::=$evil update; sudo -n safe-apt -oAPT::Update::Pre-Invoke::=$evil update; sudo -n safe-apt --option=DPkg::Pre-Invoke::=$evil install hello',
      ],
      [
        'an apt configuration',
        'echo "APT::Update::Pre-Invoke {\\"$evil\\";};" >apt.conf; sudo -n apt-get -c apt.conf update; sudo -n safe-apt --config-file=$PWD/apt.conf update; APT_CONFIG=$PWD/apt.conf sudo -n safe-apt update; sudo -n APT_CONFIG=$PWD/apt.conf safe-apt update; sudo -n -E safe-apt update',
      ],
      [
        'a package of its own',
        'mkdir -p deb/DEBIAN; printf "Package: evil\\nVersion: 1\\nArchitecture: all\\nMaintainer: x\\nDescription: x\\n" >deb/DEBIAN/control; cp $evil deb/DEBIAN/postinst; dpkg-deb -b deb evil.deb >/dev/null; sudo -n apt-get install -y ./evil.deb; sudo -n safe-apt install $PWD/evil.deb; sudo -n safe-apt install evil.deb; sudo -n dpkg -i evil.deb',
      ],
      [
        'an apt that asks',
        'printf "!sh $evil\\n" | sudo -n safe-apt install hello; sudo -n safe-apt remove nftables; sudo -n safe-apt purge dnsmasq-base; sudo -n safe-apt install nftables-; sudo -n apt-get changelog hello; sudo -n apt-get source hello; sudo -n safe-apt edit-sources',
      ],
      [
        'a unit of its own',
        'mkdir -p ~/.config/systemd/user; printf "[Service]\\nExecStart=$evil\\n" | tee evil.service ~/.config/systemd/user/evil.service >/tmp/evil.service; sudo -n systemctl start $PWD/evil.service; sudo -n systemctl link $PWD/evil.service; sudo -n systemctl enable /tmp/evil.service; sudo -n systemctl enable --root=$PWD evil; sudo -n systemctl start evil; sudo -n systemctl --user start evil',
      ],
      [
        'an edited unit',
        'EDITOR=$evil SYSTEMD_EDITOR=$evil sudo -n systemctl edit ssh; sudo -n systemctl edit --full --stdin ssh <evil.service; sudo -n systemctl set-property ssh.service Environment=X=1; sudo -n systemctl set-environment LD_PRELOAD=$PWD/x.so; sudo -n systemctl import-environment PATH; sudo -n systemctl revert ssh',
      ],
      [
        'a unit whose program others own',
        'sudo -n systemctl start lent.service; sudo -n systemctl restart lent; sudo -n systemctl enable --now lent.service',
      ],
      [
        'systemd elsewhere',
        'sudo -n systemctl -H root@localhost start ssh; sudo -n systemctl -M .host start ssh; sudo -n systemd-run sh $evil; sudo -n systemctl start debug-shell; sudo -n systemctl isolate rescue.target; sudo -n systemctl kill -s KILL pixels-resolver',
      ],
      [
        'our units',
        'sudo -n systemctl stop pixels-egress.service; sudo -n systemctl stop pixels-resolver; sudo -n systemctl disable --now pixels-egress-hold; sudo -n systemctl start nftables; sudo -n systemctl restart nftables.service; sudo -n systemctl stop "pixels*"; sudo -n systemctl mask pixels-egress',
      ],
      [
        'a pager',
        'PAGER="sh $evil" SYSTEMD_PAGER="sh $evil" SYSTEMD_PAGERSECURE=0 sudo -n -E systemctl status ssh; LESSOPEN="|sh $evil" sudo -n journalctl -n 2; printf "!sh $evil\\n" | script -qec "sudo -n journalctl" /dev/null; printf "!sh $evil\\n" | script -qec "sudo -n systemctl list-units" /dev/null',
      ],
      [
        'files of the journal',
        'sudo -n journalctl --file=/etc/shadow; sudo -n journalctl -D /root; sudo -n journalctl --cursor-file=$proof -n 1; sudo -n journalctl --root=/ -n 1; sudo -n journalctl --rotate --vacuum-size=1; sudo -n journalctl -n --cursor-file=$proof',
      ],
      [
        'nft',
        'sudo -n nft flush ruleset; sudo -n nft -f evil.nft; sudo -n nft "list ruleset; flush ruleset"; sudo -n nft list ruleset \\; flush ruleset; sudo -n nft -i; sudo -n nft delete table inet pixels; sudo -n nft -n delete table inet pixels; sudo -n nft -I $PWD list ruleset',
      ],
      [
        'arguments with line ends and quotes',
        "sudo -n systemctl restart $'ssh\\npixels-resolver'; sudo -n systemctl status '$(sh $evil)' ; sudo -n safe-apt install 'hello;sh $evil' \"\\`sh $evil\\`\"; sudo -n systemctl restart -- ssh; sudo -n safe-apt $'install\\nhello'",
      ],
    ];

    it.each(ways)('leads to no root by %s', async (_, script) => {
      const setUp =
        "cd; proof=/root-was-here evil=$PWD/evil; printf '#!/bin/sh\\ntouch /root-was-here\\n' >$evil; chmod 755 $evil; exec 2>&1 </dev/null;";
      const rules = await rulesInForce();
      await asUser(`${setUp} ${script}`);
      expect(await asUser('ls /root-was-here')).toMatch(/No such file[^]*\(2\)$/);
      expect(await rulesInForce()).toBe(rules);
      expect(await asUser('systemctl is-active pixels-resolver')).toBe('active\n(0)');
    });

    it('is unlimited again when the policy is lifted, and limited when it comes back', async () => {
      await pixels.must('network', 'set', NAME, 'unrestricted');
      expect(await asUser('sudo -n id -un')).toBe('root\n(0)');
      // What none of the ways above could leave.
      expect(await asUser('sudo -n sh evil && ls /root-was-here && sudo -n rm /root-was-here')).toMatch(/\(0\)$/);
      await pixels.must('network', 'set', NAME, 'allowlist');
      expect(await asUser('sudo -n id -un')).toMatch(/\(1\)$/);
    });

    it('is limited after a restore to a time without a policy, and in a clone', async () => {
      await pixels.must('network', 'set', NAME, 'unrestricted');
      await pixels.must('checkpoint', 'create', NAME, '--label', 'open');
      await pixels.must('network', 'set', NAME, 'allowlist');
      await pixels.must('checkpoint', 'restore', NAME, 'open');
      expect(await asUser('sudo -n id -un')).toMatch(/\(1\)$/);
      await pixels.must('create', 'copy', '--from', `${NAME}:open`);
      const { stdout, exit } = await pixels.run(['exec', 'copy', '--', 'sudo', '-n', 'id', '-un']);
      expect([stdout.toString(), exit]).toEqual(['', 1]);
    });
  });
});
