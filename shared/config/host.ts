import { z } from 'zod'
import { connectorFields } from '../connectors/list.ts'
import { retention } from './parts.ts'

/**
 * `$OPENCLAW_ETC/host.json`: what is true of this host, not of the project. Every field has a default, for `aiops-1`.
 */
export const hostSettings = z.strictObject({
  schema_version: z.literal(1).default(1).describe('Version of this format.'),
  name: z.string().min(1).default('aiops-1').describe('Name of the host in HQ.'),
  launcher: z
    .enum(['process', 'systemd'])
    .default('process')
    .describe('How runs are started: a detached process group (development) or a unit per run.'),
  timers: z
    .enum(['none', 'systemd'])
    .default('none')
    .describe('How the doctor timer is stopped for a deploy; `none` where there is no systemd.'),
  console_port: z
    .number()
    .int()
    .min(1)
    .max(65535)
    .default(8787)
    .describe('Loopback port of the console.'),
  console_url: z
    .url()
    .optional()
    .describe('Where the route gate reaches the console; default: the loopback port.'),
  hostnames: z
    .array(z.string())
    .default([])
    .describe('Values of the Host header that hostd accepts besides its own loopback address.'),
  allowed_logins: z
    .array(z.string().min(1).max(200))
    .default([])
    .describe(
      'Logins of the tailnet that may start changes, exactly as Tailscale writes them. Empty, with ' +
        'allowed_tags empty too: everybody who has the admin token. Never instead of the token.',
    ),
  allowed_tags: z
    .array(z.string().regex(/^tag:[\w-]+$/))
    .default([])
    .describe('The same for tagged nodes, which have no login: `tag:ci`.'),
  service_ports: z
    .record(z.string(), z.number().int().min(1).max(65535))
    .default({})
    .describe('Replaces the ports of services of `openclaw.config.json`, by service name.'),
  docker_socket: z
    .string()
    .startsWith('/')
    .default('/var/run/docker.sock')
    .describe(
      'Socket of the Docker daemon, for the engine `compose`. The installer sets it to one that ' +
        'answers when this one does not.',
    ),
  base_image: z
    .string()
    .regex(/^[a-z0-9][\w./:@-]*$/)
    .default('node:24-bookworm-slim')
    .describe(
      'Image with Node 24 or newer, from which the image of the console is built. It is fetched only ' +
        'when the host does not have it. The installer sets it to an image that the host has.',
    ),
  guard_per_hour: z
    .number()
    .int()
    .min(0)
    .max(60)
    .default(5)
    .describe(
      'How often guard may apply one repair to one target within an hour; 0: it only observes.',
    ),
  disk_warn_percent: z
    .number()
    .min(1)
    .max(100)
    .default(85)
    .describe('Doctor warns when a disk is this full, percent.'),
  disk_fail_percent: z
    .number()
    .min(1)
    .max(100)
    .default(95)
    .describe('Doctor fails when a disk is this full, percent.'),
  docker_disk_warn_gib: z
    .number()
    .min(1)
    .max(10_000)
    .default(40)
    .describe('Doctor warns when images and build cache of Docker together take this much, GiB.'),
  deploy_attempts: z
    .number()
    .int()
    .min(1)
    .max(10)
    .default(3)
    .describe('Most attempts of one deploy.'),
  deploy_backoff_seconds: z
    .number()
    .min(0)
    .max(600)
    .default(5)
    .describe('First pause between two attempts, seconds; it doubles each time, with jitter.'),
  retention: retention.prefault({}).describe('How long logs of runs on the host are kept.'),
  ...connectorFields,
})
export type HostSettings = z.infer<typeof hostSettings>
