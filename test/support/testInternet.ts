import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Namespace } from './namespaces';

/** Addresses that nobody has (RFC 5737, RFC 3849), and names that nobody has (RFC 2606). */
export const HOSTS = {
  allowed: { name: 'allowed.example', v4: '203.0.113.10', v6: '2001:db8:1::10' },
  rotated: { name: 'rotated.allowed.example', v4: '203.0.113.20', v6: '2001:db8:1::20' },
  forbidden: { name: 'forbidden.example', v4: '198.51.100.10', v6: '2001:db8:2::10' },
} as const;

/** An address that is private; `inside.allowed.example` leads there. */
export const PRIVATE_ADDRESS = '10.99.8.10';

const RECORDS = [
  'local=/example/', // nobody else knows more: what is not here is not there
  ...Object.values(HOSTS).map(({ name, v4, v6 }) => `host-record=${name},${v4},${v6}`),
  `host-record=www.allowed.example,${HOSTS.allowed.v4},${HOSTS.allowed.v6}`,
  'cname=chain.allowed.example,middle.cdn.example',
  'cname=middle.cdn.example,end.cdn.example',
  'host-record=end.cdn.example,203.0.113.30',
  `host-record=inside.allowed.example,${PRIVATE_ADDRESS}`,
  'host-record=only.example,203.0.113.40',
  'host-record=below.only.example,203.0.113.41',
  'host-record=ported.example,203.0.113.50',
  'host-record=denied.allowed.example,203.0.113.60',
  'txt-record=allowed.example,spoken',
];
const MORE_ADDRESSES = [
  '203.0.113.30',
  '203.0.113.40',
  '203.0.113.41',
  '203.0.113.50',
  '203.0.113.60',
  '203.0.113.70',
  '203.0.113.71',
  PRIVATE_ADDRESS,
];

/** Ports that every one of its hosts answers at, by TCP with "hello", and by UDP with what it got. */
export const PORTS = [80, 443, 853];

/** An answer by UDP has to come from the address that was asked, so each has a socket of its own. */
const server = (addresses: readonly string[]): string => `
  const net = require('node:net'), dgram = require('node:dgram');
  let left = 0;
  const done = () => --left === 0 && console.log('listening');
  for (const port of ${JSON.stringify(PORTS)}) {
    left += 1;
    net.createServer((socket) => { console.log('visit'); socket.on('error', () => {}); socket.write('hello\\n'); socket.pipe(socket); }).listen(port, '::', done);
    for (const address of ${JSON.stringify(addresses)}) {
      left += 1;
      const udp = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4');
      udp.on('message', (text, from) => udp.send(text, from.port, from.address));
      udp.bind(port, address, done);
    }
  }`;

/** The part of the internet that a test needs, in a namespace: hosts, and the one name server that knows them. */
export interface TestInternet {
  /** How many connections its hosts were asked for since this was last asked. */
  visits(): Promise<number>;
  /** Every name that the name server was asked for since it was last asked itself. */
  asked(): Promise<string[]>;
  /** From now on `turning.allowed.example` has this address, and no other. */
  turn(address: string): Promise<void>;
  close(): void;
}

/** @param nameServers addresses that the name server answers at. */
export async function startTestInternet(namespace: Namespace, nameServers: readonly string[]): Promise<TestInternet> {
  const directory = mkdtempSync(path.join(tmpdir(), 'pixels-internet-'));
  const all = [...Object.values(HOSTS).flatMap(({ v4, v6 }) => [v4, v6]), ...MORE_ADDRESSES];
  for (const address of all) {
    namespace.ip('address', 'add', address, 'dev', 'lo', ...(address.includes(':') ? ['nodad'] : []));
  }
  const config = path.join(directory, 'dnsmasq.conf');
  const turned = (address: string) =>
    writeFileSync(path.join(directory, 'hosts'), `${address} turning.allowed.example\n`);
  turned('203.0.113.70');
  const listen = nameServers.map((address) => `listen-address=${address}`);
  writeFileSync(
    config,
    [
      ...listen,
      'bind-interfaces',
      'no-resolv',
      'no-hosts',
      'pid-file=',
      'user=root',
      'log-queries',
      `addn-hosts=${directory}/hosts`,
      ...RECORDS,
      '',
    ].join('\n'),
  );
  const nameServer = await namespace.start(['dnsmasq', '-k', '-C', config, '--log-facility=-'], /started/);
  let asked: string[] = [];
  nameServer.stderr?.on('data', (chunk: Buffer) => {
    asked = [...asked, ...[...chunk.toString().matchAll(/query\[\w+\] (\S+)/g)].map(([, name = '']) => name)];
  });
  const hosts = await namespace.start([process.execPath, '-e', server(all)], /listening/);
  let visits = 0;
  hosts.stdout?.on('data', (chunk: Buffer) => (visits += chunk.toString().split('visit').length - 1));
  return {
    async visits() {
      await onTheWay();
      const counted = visits;
      visits = 0;
      return counted;
    },
    async asked() {
      await onTheWay();
      const names = [...new Set(asked)].sort();
      asked = [];
      return names;
    },
    async turn(address) {
      turned(address);
      nameServer.kill('SIGHUP');
      await onTheWay();
    },
    close: () => rmSync(directory, { recursive: true }),
  };
}

/** Its log takes a moment. */
function onTheWay(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 100));
}

/** What a connection attempt from a namespace, as somebody who is not root, comes to. */
export async function probe(namespace: Namespace, host: string, port = 80): Promise<'reached' | 'refused'> {
  const script = 'exec 3<>"/dev/tcp/$0/$1" && read -r line <&3 && [ "$line" = hello ]';
  const command = [
    'setpriv',
    '--reuid',
    '65534',
    '--clear-groups',
    'timeout',
    '3',
    'bash',
    '-c',
    script,
    host,
    String(port),
  ];
  const child = spawn('ip', ['netns', 'exec', namespace.name, ...command], { stdio: 'ignore' });
  const exit = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (exit === 124) throw new Error(`${host} port ${port}: no answer within 3 seconds`);
  return exit === 0 ? 'reached' : 'refused';
}
