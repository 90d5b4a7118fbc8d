import type { Rules } from '../rules';
import { renderDecision } from '../ruleset';

/** The nftables table inside a sandbox that is ours. */
export const TABLE = 'pixels';

/**
 * What the resolver is told about ports, as options of dnsmasq(8). Who asks a name server of the network is redirected to it, and it asks
 * the same one, from the same address: from a port that a program has just asked from, its question would be taken for one of that
 * program's, come back to itself, and go round. Programs get ports up to 60999 (ip(7), ip_local_port_range).
 */
export const RESOLVER_PORTS = ['port=53', 'interface=lo', 'min-port=61000'];

/**
 * The text for `nft -f`, which puts all of the table in place at once. Whoever loads it has to define before it, besides what
 * {@link renderDecision} wants: `$resolver`, the user id of the one process that may ask name servers; `$dhcp`, a set of those that
 * may speak DHCP.
 * @param mark goes into the table's comment, to tell which policy is in force: at most 100 letters and digits.
 */
export function renderRuleset(rules: Rules, mark: string): string {
  return `table inet ${TABLE}
delete table inet ${TABLE}
table inet ${TABLE} {
  comment "${mark}"
${renderDecision(rules)}
  # What leaves this machine. Answers to those who came in do, and what this ruleset accepted before.
  chain output {
    type filter hook output priority filter; policy drop;
    oifname "lo" accept
    ip daddr 127.0.0.1 accept # redirected below, which does not change the name of the interface
    ip6 daddr ::1 accept
    ct state { established, related } ct direction reply accept
    ct state established ct mark $generation accept
    meta skuid $resolver meta l4proto { tcp, udp } th dport 53 accept
    meta skuid $dhcp udp sport 68 udp dport 67 accept
    meta skuid $dhcp udp sport 546 udp dport 547 accept
    icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-report, mld2-listener-report } accept
    goto check
  }
  # The same for machines inside this one.
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state { established, related } ct direction reply accept
    ct state established ct mark $generation accept
    goto check
  }
  # Whichever name server is asked, the one that answers is ours.
  chain names {
    type nat hook output priority -100; policy accept;
    oifname "lo" accept
    meta skuid $resolver accept
    meta l4proto { tcp, udp } th dport 53 redirect to :53
  }
}
`;
}
