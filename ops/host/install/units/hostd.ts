// The units of hostd: its addresses, and the daemon.
import { dirname } from 'node:path'
import { command, confined, environment, unprivileged, type UnitPaths } from './unit-settings.ts'

/** The socket owns the port from boot, so that nobody else can, and a restart of hostd loses no request. */
export const hostdSocket = ({ paths, port }: UnitPaths): string => `[Unit]
Description=OpenClaw HQ: addresses of hostd

[Socket]
ListenStream=127.0.0.1:${port}
ListenStream=${paths.publicSocket}
ListenStream=${paths.tailnetSocket}
# tailscaled runs as root, and what it says of a caller is taken as true: nobody else may open the folder.
ExecStartPre=/usr/bin/install -d -m 0700 -o root -g root ${dirname(paths.tailnetSocket)}
# The console's container connects as another user. As on the loopback port, the token decides who may enter.
SocketMode=0666
DirectoryMode=0755

[Install]
WantedBy=sockets.target
`

export const hostdService = (host: UnitPaths): string => `[Unit]
Description=OpenClaw HQ: hostd
Requires=openclaw-hostd.socket
After=openclaw-hostd.socket openclaw-runner.socket
Wants=openclaw-runner.socket
# It always comes back: without it nobody sees that something is wrong.
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=${command(host, 'hostd/main.ts')}
WorkingDirectory=${host.paths.releases}/current
${environment(host)}
Environment=HOME=${dirname(host.paths.index)}
Restart=always
RestartSec=1s
TimeoutStopSec=10s
${unprivileged}
${confined}
# Its own index is all that it writes.
ReadWritePaths=${dirname(host.paths.index)}
# It serves the sockets it is handed and connects to the runner's: it needs no network at all.
PrivateNetwork=yes
RestrictAddressFamilies=AF_UNIX
IPAddressDeny=any
IPAddressAllow=localhost
MemoryMax=512M
TasksMax=128

[Install]
WantedBy=multi-user.target
`
