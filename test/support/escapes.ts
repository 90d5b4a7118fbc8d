import { HOSTS } from './testInternet';

/** A way to get something out of a sandbox that may not send it. */
export interface Escape {
  readonly what: string;
  /** For bash. It defines nothing and prints nothing; what came of it is seen outside. */
  readonly script: string;
  /** The sandbox may have no network any more after it. */
  readonly breaks?: true;
}

const { v4, v6 } = HOSTS.forbidden;

/** Tries to connect, and to send by UDP, for a second each. */
const connect = `
  for to in ${v4} ${v6}; do for port in 53 80 443 853; do for how in tcp udp; do
    timeout 1 bash -c "exec 3<>/dev/$how/$to/$port && echo out >&3"
  done; done; done`;

/** Packets of several protocols, ICMP among them, made by hand; \$1 is what they say about their sender, empty for the truth. */
const raw = (source = ''): string => `
  timeout 5 perl -MSocket -e '
    my ($to, $from) = @ARGV;
    for my $protocol (1, 17, 47, 253) {
      if ($from) {
        socket(my $s, AF_INET, SOCK_RAW, 255) or next;
        my $head = pack("CCnnnCCna4a4", 0x45, 0, 28, 7, 0, 64, $protocol, 0, inet_aton($from), inet_aton($to));
        send($s, $head . "outoutou", 0, sockaddr_in(0, inet_aton($to))) for 1 .. 3;
      } else {
        socket(my $s, AF_INET, SOCK_RAW, $protocol) or next;
        send($s, "out" x 9, 0, sockaddr_in(0, inet_aton($to))) for 1 .. 3;
      }
    }' ${v4} ${source}`;

const gateway = 'via=$(ip route show default | sed -n "s/.* via \\([^ ]*\\).*/\\1/p;q")';

/**
 * What is tried, by whoever is inside, as himself. Each ends in packets to hosts that may not be reached, if it gets that far.
 * @param other addresses of another sandbox on the same network, whose policy may say something else.
 */
export function escapes(other: { readonly address: string; readonly mac: string }): readonly Escape[] {
  return [
    { what: 'connecting, to IPv4 and IPv6, at ports of name servers too', script: connect },
    { what: 'ping', script: `ping -c 2 -W 1 ${v4}; ping -c 2 -W 1 ${v6}` },
    { what: 'packets made by hand', script: raw() },
    { what: 'packets that are said to come from another sandbox', script: raw(other.address) },
    { what: 'flushing the packet filter inside', script: `nft flush ruleset; ${connect}`, breaks: true },
    {
      what: 'stopping what Pixels runs inside',
      script: `systemctl stop 'pixels-*'; systemctl mask pixels-egress; pkill dnsmasq; nft delete table inet pixels; ${connect}`,
      breaks: true,
    },
    {
      what: 'a route of its own',
      script: `${gateway}; ip route add ${v4} via $via dev eth0; ${connect}`,
      breaks: true,
    },
    {
      what: "somebody's address",
      script: `${gateway}; ip address flush dev eth0; ip address add ${other.address}/20 dev eth0
        ip route replace default via $via dev eth0 onlink; ${connect}`,
      breaks: true,
    },
    {
      what: "somebody's address and MAC address",
      script: `${gateway}; ip link set eth0 down; ip link set eth0 address ${other.mac}; ip link set eth0 up; ip address flush dev eth0
        ip address add ${other.address}/20 dev eth0; ip route replace default via $via dev eth0 onlink; ${connect}`,
      breaks: true,
    },
    {
      what: 'a machine in the machine',
      script: `in='nsenter --net=/run/netns/inner'; ip netns add inner; ip link add out type veth peer name eth0 netns inner; ip address add 192.0.2.1/24 dev out
        ip link set out up; $in ip address add 192.0.2.2/24 dev eth0; $in ip link set eth0 up
        $in ip route add default via 192.0.2.1; sysctl -qw net.ipv4.ip_forward=1
        nft add table ip own; nft 'add chain ip own out { type nat hook postrouting priority 100; }'; nft add rule ip own out masquerade
        $in bash -c '${connect.replaceAll("'", `'"'"'`)}'; ip netns delete inner; nft delete table ip own`,
    },
  ];
}

/** Questions for names with something in them, for addresses and texts, by UDP and TCP: to the sandbox's own resolver and to these. */
export function tunnel(names: readonly string[], servers: readonly string[]): string {
  const asks = `
    my ($server, @names) = @ARGV;
    for my $name (@names) {
      for my $type (1, 16) {
        my $question = pack("n6", 7, 0x100, 1, 0, 0, 0) . join("", map { pack("C/a*", $_) } split(/\\./, $name)) . pack("Cnn", 0, $type, 1);
        for my $kind (SOCK_DGRAM, SOCK_STREAM) {
          socket(my $s, AF_INET, $kind, 0) or next;
          local $SIG{ALRM} = sub { die };
          eval {
            alarm 1;
            connect($s, sockaddr_in(53, inet_aton($server))) or die;
            syswrite($s, $kind == SOCK_STREAM ? pack("n/a*", $question) : $question);
            sysread($s, my $answer, 2000) or die;
            $answer = substr($answer, 2) if $kind == SOCK_STREAM;
            print "$server answers for $name\\n" if unpack("x6n", $answer);
          };
          alarm 0;
        }
      }
    }`;
  const each = servers.map((server) => `perl -MSocket -e '${asks}' ${server} ${names.join(' ')}`);
  return [...each, ...names.map((name) => `getent ahosts ${name}`)].join('\n');
}
