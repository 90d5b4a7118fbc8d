import { GATEWAY_NETWORK } from '../../sandbox/gateway';
import { HOSTS, INNER, POLICIES, RUN, SCRIPT } from './places';

const system = '/etc/systemd/system';
const early = 'DefaultDependencies=no\nConflicts=shutdown.target\n';
const DNSMASQ = '/usr/sbin/dnsmasq --keep-in-foreground';

const dhcp = [
  DNSMASQ,
  '--conf-file=/dev/null',
  '--port=0',
  `--interface=${INNER}`,
  '--bind-interfaces',
  '--pid-file=',
  '--log-facility=-',
  `--dhcp-leasefile=${RUN}/leases`,
  '--dhcp-authoritative',
  '--dhcp-range=198.18.0.0,static,255.255.240.0,1h',
  `--dhcp-option=option:router,${GATEWAY_NETWORK.gateway}`,
  `--dhcp-option=option:dns-server,${GATEWAY_NETWORK.gateway}`,
  `--dhcp-hostsdir=${HOSTS}`,
].join(' ');

/** systemd's part in the gateway, by file name. */
export const UNITS: Readonly<Record<string, string>> = {
  [`${system}/pixels-gateway.service`]: `[Unit]
Description=Packet filter of the Pixels gateway
${early}Wants=network-pre.target
Before=network-pre.target shutdown.target
After=systemd-sysctl.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh ${SCRIPT} boot
`,
  [`${system}/pixels-gateway-dhcp.service`]: `[Unit]
Description=Addresses for the sandboxes behind the Pixels gateway
After=pixels-gateway.service
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=${dhcp}
Restart=always
RestartSec=100ms
`,
  // SIGHUP would end a dnsmasq that has begun and does not listen to it yet.
  [`${system}/pixels-resolver@.service`]: `[Unit]
Description=Name resolution within the egress policy of %I
After=pixels-gateway.service
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStartPre=/bin/sh ${SCRIPT} servers %i
ExecStart=/bin/sh -c 'trap "" HUP; exec ${DNSMASQ} --conf-file=${POLICIES}/%i/resolver.conf'
Restart=always
RestartSec=100ms
LogRateLimitIntervalSec=0
`,
  [`${system}/pixels-gateway-servers.path`]: `[Unit]
Description=Name servers of the network of the Pixels gateway

[Path]
PathChanged=/run/systemd/resolve/resolv.conf
PathChanged=/etc/resolv.conf
`,
  [`${system}/pixels-gateway-servers.service`]: `[Unit]
Description=Tell the resolvers of the Pixels gateway whom to ask
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=/bin/sh ${SCRIPT} servers
`,
  [`${system}/pixels-gateway-ends.service`]: `[Unit]
Description=End what sandboxes behind the Pixels gateway may reach for some time only
After=pixels-gateway.service
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=/bin/sh ${SCRIPT} ends
Restart=on-failure
RestartSec=1
`,
  [`${system}/multi-user.target.d/pixels-gateway.conf`]: `[Unit]
Wants=pixels-gateway-dhcp.service pixels-gateway-ends.service pixels-gateway-servers.path
`,
  [`${system}/sysinit.target.d/pixels-gateway.conf`]: `[Unit]
Wants=pixels-gateway.service
`,
};
