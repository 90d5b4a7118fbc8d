import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { allowing, newPolicy, parseEntry, readPolicy, writePolicy, type Enforcement } from '../../src/egress';
import { outputOf } from '../../src/sandbox/exec';
import { parseName, type SandboxName } from '../../src/sandbox/name';
import { bridgeAddress } from '../support/closedNetwork';
import { inTurns, repeatedly, timeOf, type Row } from './measure';
import type { World } from './world';

const BYTES = 2 ** 30;
const CONNECTIONS = 500;
const MANY = 1000;

/** Which names the network answers for, so that nobody outside is asked. */
const NAMES = 'address=/bench.example/203.0.113.10';

/** What a policy costs: by the byte, by the connection, and at a change. */
export async function egress(world: World): Promise<Row[]> {
  const { project, pixels } = world;
  const address = await bridgeAddress(project.raw);
  const server = await startServer(address);
  const networks = (await project.raw.must('GET', '/1.0/networks?recursion=1')) as {
    name: string;
    config: Record<string, string>;
  }[];
  const { name: network } = networks.find(({ config }) => config['ipv4.address']?.startsWith(`${address}/`))!;
  const answer = (config: string) =>
    project.raw.must('PATCH', `/1.0/networks/${network}`, { config: { 'raw.dnsmasq': config } });
  await answer(NAMES);
  const make = async (label: string, enforcement: Enforcement | undefined, domains: number): Promise<SandboxName> => {
    const name = parseName(`egress-${label}`);
    const mode = enforcement === undefined ? 'unrestricted' : 'allowlist';
    const policy = newPolicy(mode, [...domainList(domains), `${address}/32`].map(parseEntry), enforcement);
    const source = { image: project.image, placement: {} };
    await pixels.lifecycle.create({ name, source, limits: {}, provision: false, egress: writePolicy(policy) });
    return name;
  };
  const open = await make('open', undefined, 1);
  const rows: Row[] = [];
  try {
    for (const enforcement of ['gateway', 'guest'] as const) {
      const few = await make('few', enforcement, 1);
      const many = await make('many', enforcement, MANY);
      for (const name of [open, few, many]) await untilConnected(world, name, server.address);
      const where = enforcement === 'gateway' ? 'through the gateway' : 'with guest enforcement';
      const load = (name: SandboxName) => () => inside(world, name, download(server.address));
      rows.push({
        operation: `1 GiB into a restricted sandbox, ${where} (raw: without a policy)`,
        ...(await inTurns(7, load(few), load(open))),
        goal: { ratio: 1.18 },
      });
      const connect = (name: SandboxName) => () => inside(world, name, connections(server.address));
      rows.push({
        operation: `${CONNECTIONS} names and connections with ${MANY} domains allowed, ${where} (raw: with 1)`,
        ...(await inTurns(7, connect(many), connect(few))),
        goal: { ratio: 1.15 },
      });
      rows.push(
        await changes(world, few, `with 1 domain, ${where}`),
        await changes(world, many, `with ${MANY} domains, ${where}`),
      );
      for (const name of [few, many]) await pixels.lifecycle.destroy(name);
    }
  } finally {
    server.close();
    await answer('');
    await pixels.lifecycle.destroy(open);
  }
  return rows;
}

/** From the call until the sandbox reaches what it could not before. */
async function changes(world: World, name: SandboxName, what: string): Promise<Row> {
  const { lifecycle, egress: policies } = world.pixels;
  const groups = await policies.preset();
  let count = 0;
  const ms = await repeatedly(7, () => {
    const entry = `198.51.100.${++count}`;
    return timeOf(() =>
      lifecycle.changeEgress(name, (policy = '') => writePolicy(allowing(readPolicy(policy), entry, groups))),
    );
  });
  return { operation: `a policy change in force, ${what}`, pixels: ms, goal: { value: 1000 } };
}

function domainList(count: number): string[] {
  return ['bench.example', ...Array.from({ length: count - 1 }, (_, at) => `domain-${at}.example`)];
}

async function inside({ pixels }: World, name: SandboxName, script: string): Promise<number> {
  const { stdout, stderr } = await outputOf(pixels.host, name, { command: ['bash', '-c', script] });
  if (!/^\d+(\.\d+)?$/.test(stdout.trim())) throw new Error(`${name}: ${stdout}${stderr}`);
  return Number(stdout.trim());
}

async function untilConnected(world: World, name: SandboxName, address: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const isThere = await inside(world, name, connections(address, 1)).then(
      () => true,
      (error: unknown) => error,
    );
    if (isThere === true) return;
    if (tries > 50) throw isThere;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Prints how many milliseconds it takes. */
function download(address: string): string {
  const [host, port] = address.split(' ');
  return `
    began=$(date +%s%N); exec 3<>/dev/tcp/${host!}/${port!}; echo all >&3
    [ "$(cat <&3 | wc -c)" = ${BYTES} ] || exit; echo $(( ($(date +%s%N) - began) / 1000000 ))`;
}

/** A look-up by UDP and a TCP connection, one after the other; prints how many milliseconds they take in all. */
function connections(address: string, count = CONNECTIONS): string {
  return `perl -MSocket -MTime::HiRes=time -e '
    my ($host, $port) = @ARGV;
    open(my $file, "<", "/run/systemd/resolve/resolv.conf") or open($file, "<", "/etc/resolv.conf"); 
    my ($server) = map { /^nameserver ([\\d.]+)/ ? $1 : () } <$file>;
    my $question = pack("n6", 7, 0x100, 1, 0, 0, 0) . pack("C/a*C/a*Cnn", "bench", "example", 0, 1, 1);
    $SIG{ALRM} = sub { die "no answer" }; alarm 20;
    my $began = time;
    for (1 .. ${count}) {
      socket(my $dns, AF_INET, SOCK_DGRAM, 0) or die; 
      send($dns, $question, 0, sockaddr_in(53, inet_aton($server))) or die "send $!"; 
      recv($dns, my $answer, 2000, 0); unpack("x6n", $answer) or die "no address";
      socket(my $s, AF_INET, SOCK_STREAM, 0) or die; 
      connect($s, sockaddr_in($port, inet_aton($host))) or die "connect $!";
    }
    printf "%.1f\\n", (time - $began) * 1000' ${address}`;
}

/** Sends 1 GiB to whoever says a word. `address` is its host and port with a space between. */
async function startServer(host: string): Promise<{ readonly address: string; close(): void }> {
  const program = `
    const chunk = Buffer.alloc(1 << 20);
    const server = require('node:net').createServer((socket) => {
      socket.on('error', () => {}).once('data', () => {
        let left = ${BYTES};
        const more = () => {
          while (left > 0) {
            left -= chunk.length;
            if (!socket.write(chunk)) return socket.once('drain', more);
          }
          socket.end();
        };
        more();
      });
    });
    server.listen(0, '${host}', () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const port of createInterface({ input: child.stdout })) {
    return { address: `${host} ${port}`, close: () => void child.kill() };
  }
  throw new Error('The server for the throughput ended.');
}
