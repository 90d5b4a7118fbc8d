import { gatewayMac, GATEWAY_NETWORK } from '../../sandbox/gateway';
import type { SandboxName } from '../../sandbox/name';
import type { Rules } from '../rules';
import { renderDecision } from '../ruleset';
import { BASE_TABLE, FIRST_PORT, INNER, resolverPort } from './places';

/** The nftables table of a sandbox in the gateway. */
export function tableOf(name: SandboxName): string {
  return `px-${name}`;
}

/**
 * The text for `nft -f`, which puts all of one sandbox's table in place at once, and touches no other's. Whoever loads it has to define
 * what {@link renderDecision} wants. The address tells whose a packet is: each is bound to a MAC
 * address, and the server lets a sandbox send from its own one only.
 * @param mark goes into the table's comment, to tell which policy is in force: at most 100 letters and digits.
 */
export function renderRuleset(rules: Rules, mark: string, { name, address }: Attached): string {
  const table = tableOf(name);
  return `table inet ${table}
delete table inet ${table}
table inet ${table} {
  comment "${mark}"
${renderDecision(rules)}
  chain forward {
    type filter hook forward priority filter; policy accept;
    ip saddr != ${address} return
    ct state established ct mark $generation accept
    goto check
  }
  # Whichever name server is asked, the one that answers is its own.
  chain names {
    type nat hook prerouting priority dstnat; policy accept;
    ip saddr ${address} meta l4proto { tcp, udp } th dport 53 redirect to :${resolverPort(address)}
  }
}
add element inet ${BASE_TABLE} bound { ${gatewayMac(address)} . ${address} }
`;
}

/** A sandbox behind the gateway. */
export interface Attached {
  readonly name: SandboxName;
  readonly address: string;
}

/**
 * What holds for all of them, as text for `nft -f`: nothing passes. A sandbox's own table marks the connections that it may have,
 * and binds its address to its MAC address; without that table it cannot send anything. They have IPv4 only.
 */
export const BASE_RULESET = `table inet ${BASE_TABLE}
delete table inet ${BASE_TABLE}
table inet ${BASE_TABLE} {
  set bound { type ether_addr . ipv4_addr; }
  # The server has seen to it that a frame comes from its sender's MAC address.
  chain senders {
    type filter hook prerouting priority raw; policy accept;
    iifname != "${INNER}" accept
    ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept
    ether saddr . ip saddr @bound accept
    drop
  }
  chain forward {
    type filter hook forward priority filter + 10; policy drop;
    iifname "${INNER}" oifname "${INNER}" goto refuse
    iifname "${INNER}" ct mark != 0 accept
    iifname != "${INNER}" oifname "${INNER}" ct state { established, related } accept
    goto refuse
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "${INNER}" goto from_sandboxes
    iifname "lo" accept
    ct state { established, related } accept
    udp sport 67 udp dport 68 accept
    icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
    udp sport 547 udp dport 546 accept
    drop
  }
  # Only addresses, and names from the resolver that is theirs.
  chain from_sandboxes {
    udp sport 68 udp dport 67 accept
    ct status dnat meta l4proto { tcp, udp } th dport ${FIRST_PORT + GATEWAY_NETWORK.first}-${FIRST_PORT + GATEWAY_NETWORK.last} accept
    goto refuse
  }
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject with icmpx admin-prohibited
  }
  chain out {
    type nat hook postrouting priority srcnat; policy accept;
    iifname "${INNER}" oifname != "${INNER}" masquerade
  }
}
`;
