import type { Misbehaviour } from '../misbehaviour';

/** The IPv4 network that the containers really are on: the managed bridge of the Incus daemon. */
export interface RealNetwork {
  /** Its name in Incus. */
  readonly name: string;
  /** The host's own address on it, `10.1.2.1/24`. */
  readonly address: string;
}

type Kind = Misbehaviour['network'];

const MAC = 'd8:5e:d3:00:11:22';

/**
 * What the NAS says of its network. Its addresses are on the network that the containers really get theirs from, so that a client
 * that compares them finds what it would find at home.
 */
export class HostNetwork {
  constructor(
    readonly real: RealNetwork,
    private readonly misbehave: Misbehaviour,
  ) {}

  get bridges(): string[] {
    return this.kind === 'bridge' ? ['br0'] : [];
  }

  /** Every interface that a container's NIC could sit on. */
  get parents(): string[] {
    return this.kind === 'bridge' ? ['enp3s0', 'br0'] : this.kind === 'static' ? ['eno1'] : ['enp3s0'];
  }

  summary(): unknown {
    if (this.kind === 'no-route') return { ips: {}, default_routes: [], nameservers: [] };
    const [name] = this.kind === 'bridge' ? this.bridges : this.parents;
    const gateway = this.real.address.replace(/\.\d+\/\d+$/, '.254');
    return { ips: { [name ?? '']: { IPV4: [this.real.address] } }, default_routes: [gateway], nameservers: [gateway] };
  }

  interfaces(): Record<string, unknown>[] {
    const [address = '', netmask] = this.real.address.split('/');
    const own = { type: 'INET', address, netmask: Number(netmask) };
    switch (this.kind) {
      case 'dhcp':
        return [networkInterface('enp3s0', { type: 'PHYSICAL', live: [own], configured: [], isDhcp: true })];
      case 'static':
        return [networkInterface('eno1', { type: 'PHYSICAL', live: [own], configured: [own], isDhcp: false })];
      case 'bridge':
        return [
          networkInterface('enp3s0', { type: 'PHYSICAL', live: [], configured: [], isDhcp: false }),
          {
            ...networkInterface('br0', { type: 'BRIDGE', live: [own], configured: [own], isDhcp: false }),
            bridge_members: ['enp3s0'],
            enable_learning: true,
            stp: true,
          },
        ];
      case 'no-route':
        return [networkInterface('enp3s0', { type: 'PHYSICAL', live: [], configured: [], isDhcp: true })];
    }
  }

  private get kind(): Kind {
    return this.misbehave.network;
  }
}

interface Alias {
  readonly type: string;
  readonly address: string;
  readonly netmask: number;
}

/** `InterfaceEntry`: `aliases` is what is configured, `state.aliases` what is there, DHCP included. */
function networkInterface(
  name: string,
  facts: { type: string; live: readonly Alias[]; configured: readonly Alias[]; isDhcp: boolean },
): Record<string, unknown> {
  return {
    id: name,
    name,
    fake: false,
    type: facts.type,
    state: {
      name,
      orig_name: name,
      description: '',
      mtu: 1500,
      cloned: facts.type !== 'PHYSICAL',
      flags: ['UP', 'BROADCAST', 'RUNNING', 'MULTICAST'],
      nd6_flags: [],
      capabilities: [],
      link_state: 'LINK_STATE_UP',
      media_type: '',
      media_subtype: '',
      active_media_type: 'Ethernet',
      active_media_subtype: '1000Mb/s Twisted Pair',
      supported_media: [],
      media_options: null,
      link_address: MAC,
      permanent_link_address: MAC,
      hardware_link_address: MAC,
      rx_queues: 4,
      tx_queues: 4,
      aliases: [{ type: 'LINK', address: MAC }, ...facts.live],
      vrrp_config: [],
      protocol: null,
      ports: [],
      xmit_hash_policy: null,
      lacpdu_rate: null,
      parent: null,
      tag: null,
      pcp: null,
    },
    aliases: facts.configured,
    ipv4_dhcp: facts.isDhcp,
    ipv6_auto: false,
    description: '',
    mtu: null,
  };
}
