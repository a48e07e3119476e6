// The units of the runner: a socket, and one unit for each run.
import { dirname } from 'node:path'
import { hostProofPaths } from '#ops/base/paths/proof-paths'
import { runnerHome } from '#ops/platform/accounts/folders'
import { hostdUser } from '#ops/platform/accounts/account'
import { command, confined, environment, type UnitPaths } from './unit-settings.ts'

export const runnerSocket = ({ paths }: UnitPaths): string => `[Unit]
Description=OpenClaw HQ: requests of hostd for runs

[Socket]
ListenStream=${paths.runnerSocket}
# Who may write here may start every action of the allowlist, and nothing else.
SocketUser=root
SocketGroup=${hostdUser}
SocketMode=0660
DirectoryMode=0755
Accept=yes
MaxConnections=64

[Install]
WantedBy=sockets.target
`

/** What the root of a run may do, each with its reason. It has none of root's other rights. */
export const runnerCapabilities = {
  CAP_CHOWN: 'connector secrets belong to uid 1000, files of the clone to the build account',
  CAP_FOWNER: 'modes of files that belong to those accounts',
  CAP_DAC_OVERRIDE: 'reads and replaces files of those accounts',
  CAP_SETUID: 'git, npm and builds run as the build account',
  CAP_SETGID: 'the same, for its group',
  CAP_KILL: 'a cancel ends processes of the build account',
  CAP_SYS_PTRACE: 'finds what belongs to a run by its environment, and names the owner of a port',
  CAP_NET_ADMIN: 'the port audit reads the NAT rules',
} as const

const writable = ({ paths }: UnitPaths): string[] => [
  paths.root,
  paths.state,
  paths.artifacts,
  // Secrets, enrolled ship keys, and host.json, which is replaced whole when a connector is proved in another mode.
  paths.etc,
]

export const runnerService = (host: UnitPaths): string => `[Unit]
Description=OpenClaw HQ: one run (%i)
# A host that goes down ends the runs first: a build that loses its Docker would seem to have failed.
After=docker.service
# An instance that has ended is forgotten; its result is in the run's folder.
CollectMode=inactive-or-failed

[Service]
Type=exec
ExecStart=${command(host, 'ops/main.ts', 'runner')}
WorkingDirectory=${host.paths.releases}/current
StandardInput=socket
StandardOutput=socket
StandardError=journal
${environment(host)}
Environment=OPENCLAW_UNIT=%n
Environment=HOME=${runnerHome(host.paths)}
# A run that ended FAIL was carried out; refusals and crashes are the unit's own failures.
SuccessExitStatus=1 2
# SIGTERM lets the runner end its tree and write the result; once it has ended, the rest of the cgroup is killed.
KillMode=mixed
TimeoutStopSec=20s
${confined}
ReadWritePaths=${writable(host).join(' ')}
# No run decides whose reviews and which baseline this host trusts, or makes keys in the place of lost ones.
ReadOnlyPaths=-${host.paths.trustFile} -${dirname(hostProofPaths(host.paths).keyFile)}
# A mount cannot be renamed: the build account owns the clone around the proof, and must not replace it.
BindPaths=${host.paths.artifacts}
${Object.entries(runnerCapabilities)
  .map(([name, why]) => `# ${name}: ${why}`)
  .join('\n')}
CapabilityBoundingSet=${Object.keys(runnerCapabilities).join(' ')}
SystemCallFilter=@system-service
# git and builds reach the network; the port audit and ip query the kernel.
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
UMask=0022
TasksMax=8192
`
