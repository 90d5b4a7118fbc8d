import { isIPv4 } from 'node:net';

/** Each once, IPv4 first. */
export function ipv4First(addresses: readonly string[]): string[] {
  const unique = [...new Set(addresses)];
  return [...unique.filter((address) => isIPv4(address)), ...unique.filter((address) => !isIPv4(address))];
}
