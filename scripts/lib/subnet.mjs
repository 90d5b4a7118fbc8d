/** A free IPv4 subnet for a bridge. Incus' own `auto` pings candidates and finds none on networks that answer for everyone. */
import { readFileSync } from 'node:fs';

/** The gateway address of a random free 10.x.y.0/24, as Incus takes it: '10.103.7.1/24'. */
export function freeSubnet(routes = readFileSync('/proc/net/route', 'utf8')) {
  const taken = parseRoutes(routes);
  for (let attempt = 0; attempt < 1000; attempt++) {
    const network = (10 << 24) | (between(64, 191) << 16) | (between(0, 255) << 8);
    const overlaps = ({ destination, mask }) =>
      (network & mask) === (destination & mask) || (destination & 0xffffff00) === network;
    if (!taken.some(overlaps)) return `10.${(network >> 16) & 255}.${(network >> 8) & 255}.1/24`;
  }
  throw new Error('No free subnet between 10.64.0.0 and 10.191.255.0 on this machine');
}

/** Lines of /proc/net/route; addresses are in hexadecimal, least significant byte first. The default route covers nothing. */
function parseRoutes(text) {
  return text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .map(([, destination, , , , , , mask]) => ({ destination: address(destination), mask: address(mask) }))
    .filter(({ mask }) => mask !== 0);
}

const address = (hexadecimal) => Buffer.from(hexadecimal, 'hex').readInt32LE(0);

const between = (low, high) => low + Math.floor(Math.random() * (high - low + 1));
