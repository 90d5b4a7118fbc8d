/** The script that does all the work. */
export const SCRIPT = '/usr/local/lib/pixels/egress.sh';

/** The policy's files. */
export const DIRECTORY = '/var/lib/pixels/egress';

/** For what is forgotten when the sandbox stops. */
export const RUN = '/run/pixels-egress';

/** Where the resolver finds whom to ask; egress.sh writes it. */
export const SERVERS_FILE = '/run/pixels-egress/servers';

/** The resolver's user; egress.sh makes it. */
export const RESOLVER_USER = 'pixels-resolver';

const system = '/etc/systemd/system';
const early = 'DefaultDependencies=no\nConflicts=shutdown.target\n';

/**
 * systemd's part, by file name. Enabled by drop-ins and not by links, so that all of it can be written into the files of a stopped
 * sandbox.
 */
export const UNITS: Readonly<Record<string, string>> = {
  // Loaded before any interface is configured.
  [`${system}/pixels-egress.service`]: `[Unit]
Description=Egress policy of this Pixels sandbox
${early}Wants=network-pre.target
Before=network-pre.target basic.target shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh ${SCRIPT} boot
`,
  // Where that could not be: no service of the sandbox begins before Pixels has seen to it.
  [`${system}/pixels-egress-hold.service`]: `[Unit]
Description=Hold everything back until the egress policy of this Pixels sandbox is in force
${early}After=pixels-egress.service
Before=basic.target shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=infinity
ExecStart=/bin/sh -c 'until [ -e /run/pixels-egress/in-force ]; do sleep 0.1; done'
`,
  // SIGHUP would end a dnsmasq that has begun and does not listen to it yet.
  [`${system}/pixels-resolver.service`]: `[Unit]
Description=Name resolution within the egress policy of this Pixels sandbox
${early}After=pixels-egress.service pixels-resolver-servers.path
Before=nss-lookup.target shutdown.target
ConditionFileNotEmpty=/var/lib/pixels/egress/resolver.conf
ConditionPathExists=/run/pixels-egress/in-force
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStartPre=/bin/sh ${SCRIPT} servers
ExecStart=/bin/sh -c 'trap "" HUP; exec /usr/sbin/dnsmasq --keep-in-foreground --conf-file=/var/lib/pixels/egress/resolver.conf'
Restart=always
RestartSec=100ms
LogRateLimitIntervalSec=0
`,
  [`${system}/pixels-resolver-servers.path`]: `[Unit]
Description=Name servers of the network of this Pixels sandbox
${early}Before=pixels-resolver.service shutdown.target

[Path]
PathChanged=/run/systemd/resolve/resolv.conf
PathChanged=/etc/resolv.conf
`,
  [`${system}/pixels-resolver-servers.service`]: `[Unit]
Description=Tell the resolver of this Pixels sandbox whom to ask
${early}Before=shutdown.target
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=/bin/sh ${SCRIPT} servers reload
`,
  [`${system}/pixels-egress-ends.service`]: `[Unit]
Description=End what this Pixels sandbox may reach for some time only
After=pixels-egress-hold.service
ConditionFileNotEmpty=/var/lib/pixels/egress/later
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=/bin/sh ${SCRIPT} ends
Restart=on-failure
RestartSec=1
`,
  [`${system}/multi-user.target.d/pixels-egress.conf`]: `[Unit]
Wants=pixels-egress-ends.service
`,
  [`${system}/sysinit.target.d/pixels-egress.conf`]: `[Unit]
Wants=pixels-egress.service pixels-resolver-servers.path pixels-resolver.service
`,
  [`${system}/basic.target.d/pixels-egress.conf`]: `[Unit]
Requires=pixels-egress-hold.service
After=pixels-egress-hold.service
`,
};
