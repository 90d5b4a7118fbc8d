import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeAuthority, type TestAuthority } from '../support/authority';
import { bridgeAddress, startProxy, startTlsServer, type TestServer } from '../support/closedNetwork';
import { PixelsCommand } from '../support/pixelsCommand';
import { makeTestProject, type TestProject } from '../support/testProject';

/** Where apt's sources of the image are. */
const MIRROR = 'deb.debian.org';

let project: TestProject;
let pixels: PixelsCommand;
let authority: TestAuthority;
let server: TestServer;
let address: string;

beforeAll(async () => {
  project = await makeTestProject('pixels-closed');
  pixels = new PixelsCommand(project);
  authority = makeAuthority();
  address = await bridgeAddress(project.raw);
  server = await startTlsServer(address, authority.sign(`IP:${address}`));
  mkdirSync(path.join(pixels.home, '.config', 'pixels'), { recursive: true });
  writeFileSync(path.join(pixels.home, '.config', 'pixels', 'company.pem'), authority.pem);
});

afterAll(async () => {
  await server.close();
  authority.remove();
  pixels.remove();
  await project.remove();
});

function configure(toml: string): void {
  writeFileSync(path.join(pixels.home, '.config', 'pixels', 'config.toml'), toml, { mode: 0o600 });
}

function run(name: string, ...script: string[]) {
  return pixels.run(['exec', name, '--', 'sh', '-c', ...script]);
}

async function printed(name: string, script: string): Promise<string> {
  const { exit, stdout, stderr } = await run(name, script);
  expect({ exit, stderr }).toMatchObject({ exit: 0 });
  return stdout.toString();
}

describe('an authority of the network’s own', () => {
  const fetchIt = `node -e 'fetch(process.argv[1]).then((r) => r.text()).then(console.log, (e) => { console.log(e.cause.code); process.exit(1) })'`;

  beforeAll(async () => {
    configure('');
    await pixels.must('create', 'net');
    const node = await pixels.run(
      ['exec', 'net', '--', 'sudo', 'sh', '-c', 'cat >/usr/local/bin/node; chmod 755 /usr/local/bin/node'],
      {
        input: readFileSync(process.execPath),
      },
    );
    expect(node.exit).toBe(0);
  });

  it('is trusted by nobody before it is named', async () => {
    expect(await run('net', `curl -sS ${server.url}`)).toMatchObject({ exit: 60 });
    const { exit, stdout } = await run('net', `${fetchIt} ${server.url}`);
    expect({ exit, stdout: stdout.toString() }).toEqual({ exit: 1, stdout: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE\n' });
  });

  it('is trusted by curl, Node.js, OpenSSL and whoever logs in when the sandbox was started with it', async () => {
    configure('[provision]\nca_certificates = ["company.pem"]\n');
    await pixels.must('start', 'net');
    expect(await printed('net', `curl -sS ${server.url}`)).toBe('hello');
    expect(await printed('net', `${fetchIt} ${server.url}`)).toBe('hello\n');
    const host = server.url.replace('https://', '');
    expect(
      await printed('net', `openssl s_client -brief -verify_return_error -connect ${host} </dev/null 2>&1`),
    ).toContain('Verification: OK');
    const config = path.join(pixels.home, '.ssh/pixels/config');
    const login = await pixels.program(
      'ssh',
      '-F',
      config,
      'net.pixels',
      `${fetchIt} ${server.url}; sudo curl -sS ${server.url}`,
    );
    expect(login.stdout.toString()).toBe('hello\nhello');
  });

  it('is told again in an instant when nothing changed', async () => {
    const inodes = () => printed('net', 'stat -c %i /etc/ssl/certs/ca-certificates.crt /etc/pixels/authorities.pem');
    const before = await inodes();
    await pixels.must('start', 'net');
    expect(await inodes()).toBe(before);
  });

  it('is put back when something in the sandbox took it out of the system’s store', async () => {
    await printed('net', 'sudo sh -c "echo >/etc/ssl/certs/ca-certificates.crt"');
    await pixels.must('start', 'net');
    expect(await printed('net', `curl -sS ${server.url}`)).toBe('hello');
    expect(Number(await printed('net', 'grep -c BEGIN /etc/ssl/certs/ca-certificates.crt'))).toBeGreaterThan(100);
  });

  it('is replaced by another one, and forgotten with the setting', async () => {
    const other = makeAuthority('Another');
    writeFileSync(path.join(pixels.home, 'other.pem'), other.pem);
    configure('[provision]\nca_certificates = ["~/other.pem"]\n');
    await pixels.must('start', 'net');
    expect(await run('net', `curl -sS ${server.url}`)).toMatchObject({ exit: 60 });
    expect(await printed('net', 'ls /usr/local/share/ca-certificates | wc -l')).toBe('1\n');
    other.remove();
    configure('');
    await pixels.must('start', 'net');
    expect(
      await printed(
        'net',
        'ls /usr/local/share/ca-certificates; ls -d /etc/pixels 2>/dev/null; env | grep CA_ || true',
      ),
    ).toBe('');
    expect(await run('net', `${fetchIt} ${server.url}`)).toMatchObject({ exit: 1 });
  });

  it('is not put where a link leads', async () => {
    configure('[provision]\nca_certificates = ["company.pem"]\n');
    await printed(
      'net',
      'mkdir -p trap; sudo rm -r /usr/local/share/ca-certificates; sudo ln -s $HOME/trap /usr/local/share/ca-certificates',
    );
    const { exit, stderr } = await pixels.run(['start', 'net']);
    expect(exit).toBe(1);
    expect(stderr).toContain('Inside net: /usr/local/share/ca-certificates is a link or cannot be made.');
    expect(await printed('net', 'ls trap; sudo rm /usr/local/share/ca-certificates')).toBe('');
    await pixels.must('start', 'net');
    expect(await printed('net', `curl -sS ${server.url}`)).toBe('hello');
  });

  it('that cannot be read is an error before anything is made or started', async () => {
    await pixels.must('stop', 'net', '--force');
    for (const [file, problem] of [
      ['missing.pem', 'does not exist'],
      ['config.toml', 'holds no whole PEM certificate'],
    ]) {
      configure(`[provision]\nca_certificates = ["${file!}"]\n`);
      for (const args of [
        ['create', 'never'],
        ['clone', 'net', 'never'],
        ['start', 'net'],
      ]) {
        const { exit, stderr } = await pixels.run(args);
        expect(exit).toBe(1);
        expect(stderr).toContain(`${path.join(pixels.home, '.config/pixels', file!)}, ${problem!}`);
      }
    }
    expect(await pixels.json('list')).toMatchObject([{ name: 'net', status: 'stopped' }]);
    configure('');
  });
});

describe('a proxy', () => {
  it('and an authority are there before a bare image downloads anything, and the store is whole when its package comes', async () => {
    const proxy = await startProxy(address);
    configure(
      `[provision]\nca_certificates = ["company.pem"]\nproxy = "${proxy.url}"\nno_proxy = "${address}"\n` +
        `[defaults]\nimage = "${project.bareImage}"\n`,
    );
    await pixels.must('create', 'bare', '--image', project.bareImage);
    // The SSH server, which the image lacks, came through the proxy: the index, and the package.
    expect(proxy.asked.some((url) => url.includes(MIRROR) && url.includes('/dists/'))).toBe(true);
    expect(proxy.asked.some((url) => /openssh-server_\S+\.deb/.test(url))).toBe(true);
    expect(await printed('bare', 'grep -c BEGIN.CERT /etc/ssl/certs/ca-certificates.crt')).toBe('1\n');

    // apt without anybody's variables, as a timer runs it.
    proxy.asked.length = 0;
    const install = 'apt-get -qq update && apt-get -qq -y install --no-install-recommends ca-certificates curl';
    await printed(
      'bare',
      `sudo env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive sh -c '${install}' 2>&1`,
    );
    expect(proxy.asked.some((url) => /\/curl_\S+\.deb/.test(url))).toBe(true);
    expect(await printed('bare', `curl -sS ${server.url}`)).toBe('hello');
    expect(Number(await printed('bare', 'grep -c BEGIN.CERT /etc/ssl/certs/ca-certificates.crt'))).toBeGreaterThan(100);

    // Programs, and apt again, but for hosts that are reached without it.
    await printed('bare', 'curl -sS -o /dev/null http://proxied.example/; true');
    expect(proxy.asked).toContain('http://proxied.example/');
    configure(`[provision]\nproxy = "${proxy.url}"\nno_proxy = "${MIRROR}"\n`);
    await pixels.must('start', 'bare');
    proxy.asked.length = 0;
    await printed('bare', 'sudo env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin apt-get -qq update');
    expect(proxy.asked).toEqual([]);
    await proxy.close();
  });

  it('that is gone from the configuration is gone from the sandbox', async () => {
    configure('');
    await pixels.must('start', 'bare');
    expect(await printed('bare', 'env | grep -i proxy; apt-config dump | grep -i proxy; true')).toBe('');
    await pixels.must('destroy', 'bare');
  });
});

describe('a failed download', () => {
  it('because of a certificate says what to do about it', async () => {
    configure('');
    // A mirror on the network's TLS server, whose authority nobody has named.
    await pixels.must('create', 'strict', '--image', project.bareImage, '--no-provision');
    const sources = `deb [trusted=yes] ${server.url} bookworm main`;
    await pixels.must(
      'exec',
      'strict',
      '--',
      'sh',
      '-c',
      `rm -rf /etc/apt/sources.list.d/*; echo '${sources}' >/etc/apt/sources.list`,
    );
    await pixels.must('cp', 'create', 'strict', '--label', 'strict');
    const { exit, stderr } = await pixels.run(['create', 'failing', '--from', 'strict:strict']);
    expect(exit).toBe(1);
    expect(stderr).toContain('installing openssh-server sudo failed');
    expect(stderr).toContain('name the certificate of its authority as ca_certificates under [provision]');
    for (const name of ['strict', 'failing']) await pixels.must('destroy', name);
  });
});

describe('name servers', () => {
  it('of the configuration are the ones that are asked', async () => {
    configure(`[defaults]\ndns = ["${address}"]\n`);
    await pixels.must('start', 'net');
    expect(await printed('net', 'resolvectl dns; resolvectl domain')).toMatch(
      new RegExp(`Global: ${address.replaceAll('.', '\\.')}\\n[^]*Global: ~\\.\\n`),
    );
    // It has only just started: its network may not be up, and one answer may be lost.
    const query = `for try in 1 2 3 4 5 6 7 8 9 10; do resolvectl query ${MIRROR} && exit; sleep 1; done; exit 1`;
    expect(await printed('net', query)).toContain(MIRROR);
    configure('');
    await pixels.must('start', 'net');
    expect(await printed('net', 'resolvectl dns')).toMatch(/Global: *\n/);
  });
});
