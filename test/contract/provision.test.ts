import { mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endOf, PixelsCommand } from '../support/pixelsCommand';
import { incus, trueNas, type Server } from '../support/servers';
import { makeTestProject, type TestProject } from '../support/testProject';

interface ProvisionJson {
  recipe: string;
  state: string;
  steps: number | null;
  step: { id: string; title: string; number: number; lines: string[] } | null;
}

let project: TestProject;
let pixels: PixelsCommand;

/** A recipe of the person's own. */
function recipe(id: string, toml: string, files: Record<string, string> = {}): void {
  const directory = path.join(pixels.home, '.config/pixels/recipes');
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, `${id}.toml`), toml);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(directory, name), text);
}

async function provisionOf(name: string): Promise<ProvisionJson | null> {
  return ((await pixels.json('status', name)) as { provision: ProvisionJson | null }).provision;
}

/** What a script prints inside, as root. */
async function inside(name: string, script: string): Promise<string> {
  return pixels.must('exec', name, '--', 'sudo', 'sh', '-c', script);
}

async function until(name: string, isSo: (state: ProvisionJson) => boolean): Promise<ProvisionJson> {
  return expect
    .poll(async () => (await provisionOf(name))!, { timeout: 30_000, interval: 100 })
    .toSatisfy(isSo)
    .then(async () => (await provisionOf(name))!);
}

const SERVERS = [
  ['Incus', incus],
  ['TrueNAS 25.10', trueNas('25.10.5')],
] as const;

describe.each(SERVERS)('on %s,', (title, open) => {
  let server: Server;

  beforeAll(async () => {
    project = await makeTestProject('pixels-provision');
    server = await open(project);
    pixels = new PixelsCommand(server);
  });

  afterAll(async () => {
    pixels.remove();
    await server.close();
    await project.remove();
  });

  describe('a recipe', () => {
    it('is carried out in its order, each step as whom it says, and waited for', async () => {
      recipe(
        'small',
        `title = "Small"
        [[steps]]
        id = "one"
        title = "the first"
        script = 'id -un >>/tmp/order; echo said by one'
        [[steps]]
        id = "two"
        as = "user"
        needs = ["one"]
        script_file = "two.sh"
        check = 'test -e "$HOME/two"'`,
        { 'two.sh': 'id -un >>"$HOME/two"; pwd >>"$HOME/two"; echo "$HOME $USER" >>"$HOME/two"' },
      );
      const created = await pixels.run(['create', 'small', '--recipe', 'small', '--wait']);
      expect(created).toMatchObject({ exit: 0 });
      expect(created.stderr).toContain('installing the first, 1 of 2…');
      expect(created.stderr).toContain('small is ready.');
      expect(await provisionOf('small')).toEqual({ recipe: 'small', state: 'done', steps: null, step: null });
      expect(await pixels.must('status', 'small')).toMatch(/^Recipe: +small, done$/m);
      expect(await inside('small', 'cat /tmp/order')).toBe('root\n');
      expect(await pixels.must('exec', 'small', '--', 'cat', 'two')).toBe('pixel\n/home/pixel\n/home/pixel pixel\n');
      expect(await pixels.must('provision', 'small', '--log')).toMatch(/=== the first \(.*\)\nsaid by one\n/);
    });

    it('does nothing twice', async () => {
      await pixels.must('provision', 'small', '--wait');
      expect(await inside('small', 'cat /tmp/order')).toBe('root\n');
      expect(await pixels.must('provision', 'small', '--log')).toMatch(/There already\.\n[^]*There already\.\n/);
    });

    it('goes on in a copy, which has what its source has', async () => {
      await pixels.must('clone', 'small', 'copy');
      await pixels.must('status', 'copy', '--wait');
      expect(await provisionOf('copy')).toMatchObject({ recipe: 'small', state: 'done' });
      await pixels.must('destroy', 'copy');
    });

    it('is looked at again after a restore, which may have taken it back', async () => {
      await pixels.must('cp', 'create', 'small', '--label', 'whole');
      await pixels.must('cp', 'restore', 'small', 'whole');
      await pixels.must('status', 'small', '--wait');
      expect(await provisionOf('small')).toMatchObject({ state: 'done' });
      await pixels.must('destroy', 'small');
    });

    it('takes the first source that answers and works', async () => {
      const server = http.createServer((request, response) => {
        response.writeHead(request.url === '/there' ? 200 : 404).end();
      });
      // The bridge's own address: what a sandbox can reach of this machine.
      const bridge = (
        (await project.raw.must('GET', '/1.0/networks?recursion=1')) as {
          name: string;
          managed: boolean;
          config: Record<string, string>;
        }[]
      )
        .find(({ managed }) => managed)!
        .config['ipv4.address']!.replace(/\/.*/, '');
      await new Promise<void>((resolve) => server.listen(0, bridge, resolve));
      const at = `http://${bridge}:${(server.address() as AddressInfo).port}`;
      recipe(
        'sources',
        `title = "Sources"
        [[steps]]
        id = "tool"
        retries = 0
        sources = [
          { title = "nobody", answers = "http://127.0.0.1:9/", script = "echo nobody >>/tmp/from" },
          { title = "refusal", answers = "${at}/gone", script = "echo refusal >>/tmp/from" },
          { title = "broken", answers = "${at}/there", script = "echo broken >>/tmp/from; false" },
          { title = "right", answers = "${at}/there", script = "echo right >>/tmp/from" },
          { title = "late", script = "echo late >>/tmp/from" },
        ]`,
      );
      try {
        await pixels.must('create', 'sources', '--recipe', 'sources', '--wait');
        expect(await inside('sources', 'cat /tmp/from')).toBe('broken\nright\n');
        expect(await pixels.must('provision', 'sources', '--log')).toContain('--- from right\n');
      } finally {
        server.close();
        await pixels.must('destroy', 'sources');
      }
    });
  });

  describe('a step that fails', () => {
    const toml = `title = "Fails"
      [[steps]]
      id = "shaky"
      title = "the shaky one"
      retries = 2
      script = 'echo try >>/root/tries; [ $(wc -l </root/tries) -gt "$(cat /root/needed 2>/dev/null || echo 99)" ] || { echo it is too early; exit 3; }'
      [[steps]]
      id = "after"
      needs = ["shaky"]
      script = "touch /root/after"
      [[steps]]
      id = "beside"
      script = "touch /root/beside"`;

    it('is tried again with pauses, then said with its last lines; what does not need it goes on', async () => {
      recipe('fails', toml);
      const created = await pixels.run(['create', 'fails', '--recipe', 'fails', '--wait']);
      expect(created.exit).toBe(1);
      expect(created.stderr).toContain('installing the shaky one, 1 of 3, try 3…');
      expect(created.stderr).toContain('fails can be used, but is not complete. Installing the shaky one failed.');
      expect(created.stderr).toContain('  it is too early\n');
      expect(created.stderr).toContain('pixels provision fails');
      expect(await provisionOf('fails')).toMatchObject({
        state: 'failed',
        step: { id: 'shaky', number: 1, lines: expect.arrayContaining(['it is too early']) as string[] },
      });
      expect(await inside('fails', 'wc -l </root/tries; ls /root')).toBe('3\nbeside\ntries\n');
      const status = await pixels.run(['status', 'fails', '--wait']);
      expect(status).toMatchObject({ exit: 1 });
    });

    it('is finished by trying again', async () => {
      await inside('fails', 'echo 1 >/root/needed');
      await pixels.must('provision', 'fails', '--wait');
      expect(await provisionOf('fails')).toMatchObject({ state: 'done' });
      expect(await inside('fails', 'ls /root')).toBe('after\nbeside\nneeded\ntries\n');
      await pixels.must('destroy', 'fails');
    });

    it('because it takes too long is ended, with all that it started', async () => {
      recipe(
        'slow',
        `title = "Slow"
        [[steps]]
        id = "endless"
        timeout_minutes = 0.03
        retries = 5
        script = "sleep 4321 & sleep 4321"`,
      );
      const created = await pixels.run(['create', 'slow', '--recipe', 'slow', '--wait']);
      expect(created.exit).toBe(1);
      expect(created.stderr).toContain('It took longer than 0.03 minutes, and was ended.');
      expect(await inside('slow', 'pgrep -fc "sleep 432[1]" || true')).toBe('0\n');
      await pixels.must('destroy', 'slow');
    });

    it('waits for an unattended upgrade, whichever of the locks that has', async () => {
      await pixels.must('create', 'packages');
      for (const [tool, lock] of [
        ['tree', '/var/lib/apt/lists/lock'],
        ['hello', '/var/lib/dpkg/lock-frontend'],
      ] as const) {
        recipe('packages', `title = "Packages"\nsteps = [{ id = "tool", retries = 0, packages = ["${tool}"] }]`);
        // As apt takes it: by fcntl(2), kept as long as the process is there.
        const hold = `use Fcntl; open F, "+>>", "${lock}"; $l = pack "ssqqi", F_WRLCK, 0, 0, 0, 0; fcntl F, F_SETLK, $l or die; sleep 999`;
        await inside(
          'packages',
          `systemd-run -q --unit holder perl -e '${hold}'; until grep POSIX /proc/locks; do sleep 0.1; done`,
        );
        await pixels.must('provision', 'packages', '--recipe', 'packages');
        const waiting = `Waiting for another apt or dpkg, which holds ${lock}.`;
        await expect.poll(() => pixels.must('provision', 'packages', '--log'), { timeout: 20_000 }).toContain(waiting);
        await inside('packages', 'systemctl stop holder');
        await pixels.must('status', 'packages', '--wait');
      }
      expect(await inside('packages', 'tree --version && hello')).toContain('Hello, world!');
      await pixels.must('destroy', 'packages');
    });

    // TrueNAS 25.x has no disk quota for sandboxes: there it is the whole pool that can be full.
    if (title === 'Incus') {
      it('on a full disk says so, and works once there is room', async () => {
        recipe(
          'full',
          `title = "Full"
          [[steps]]
          id = "big"
          retries = 0
          script = "head -c 300000000 /dev/urandom >/root/big"
          check = "[ $(stat -c %s /root/big) = 300000000 ]"`,
        );
        const room = async (size: string): Promise<unknown> => {
          const root = { type: 'disk', path: '/', pool: 'default', size };
          return project.raw.must('PATCH', '/1.0/instances/px-full', { devices: { root } });
        };
        await pixels.must('create', 'full');
        await room('500MiB');
        const { exit, stderr } = await pixels.run(['provision', 'full', '--recipe', 'full', '--wait']);
        expect(exit).toBe(1);
        expect(stderr).toMatch(/Installing big failed\.\n.*(No space left on device|Disk quota exceeded)/);
        await room('2GiB');
        await pixels.must('provision', 'full', '--wait');
        await pixels.must('destroy', 'full');
      });
    }
  });

  describe('what comes in between', () => {
    beforeAll(() =>
      recipe(
        'long',
        `title = "Long"
        [[steps]]
        id = "first"
        script = "echo first >>/root/did"
        [[steps]]
        id = "second"
        script = "echo begun >>/root/did; [ -e /root/go ] || sleep 60; echo second >>/root/did"
        [[steps]]
        id = "third"
        script = "echo third >>/root/did"`,
      ),
    );

    it('kill -9 of the command changes nothing', async () => {
      const child = pixels.start(['create', 'long', '--recipe', 'long', '--wait']);
      child.stderr!.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('2 of 3')) child.kill('SIGKILL');
      });
      expect(await endOf(child)).toMatchObject({ exit: 'SIGKILL' });
      expect(await until('long', ({ step }) => step?.id === 'second')).toMatchObject({ state: 'running', steps: 3 });
      expect(await inside('long', 'cat /root/did')).toBe('first\nbegun\n');
    });

    it('a restart of the sandbox goes on where it was', async () => {
      await inside('long', 'touch /root/go');
      await pixels.must('restart', 'long', '--force');
      await pixels.must('status', 'long', '--wait');
      expect(await inside('long', 'cat /root/did')).toBe('first\nbegun\nbegun\nsecond\nthird\n');
    });

    it('another boot does nothing more, and the log is still there', async () => {
      await pixels.must('restart', 'long', '--force');
      expect(await inside('long', 'sleep 1; cat /root/did')).toBe('first\nbegun\nbegun\nsecond\nthird\n');
      expect(await pixels.must('provision', 'long', '--log')).toContain('=== third');
      expect(await provisionOf('long')).toMatchObject({ state: 'done' });
    });

    it('a unit that is killed inside is a failure that says so, not a wait for ever', async () => {
      await inside('long', 'rm -f /root/go; rm /var/lib/pixels/provision/passed/second');
      await pixels.must('provision', 'long');
      const waiting = pixels.run(['status', 'long', '--wait']);
      await until('long', ({ step }) => step?.id === 'second');
      await inside('long', 'systemctl kill -s KILL pixels-provision');
      const { exit, stderr } = await waiting;
      expect(exit).toBe(1);
      expect(stderr).toContain('It was ended from outside.');
      await inside('long', 'touch /root/go');
      await pixels.must('provision', 'long', '--wait');
      await pixels.must('destroy', 'long');
    });
  });

  describe('refused before anything is created is', () => {
    it.each([
      ['a recipe that is not there', ['--recipe', 'nothing'], 'There is no recipe "nothing".'],
      ['a file that is not there', ['--recipe', './nothing.toml'], 'There is no recipe file ./nothing.toml.'],
      ['a broken one', ['--recipe', 'broken'], /broken\.toml: line 2:/],
      ['a recipe without a user', ['--recipe', 'small', '--no-provision'], 'A recipe needs the user'],
    ])('%s', async (_, options, message) => {
      recipe('broken', 'title = "x"\nsteps = [');
      const { exit, stderr } = await pixels.run(['create', 'refused', ...options]);
      expect(exit).not.toBe(0);
      if (typeof message === 'string') expect(stderr).toContain(message);
      else expect(stderr).toMatch(message);
      expect(await pixels.must('list')).not.toContain('refused');
    });
  });
});
