// The compose file as `docker compose config --format json` prints it, as far as HQ reads it.
import { z } from 'zod'

const strings = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? [])
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '')

/** A map, or a list of `key=value` lines, as pairs. */
const pairs = z
  .union([
    z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).nullable()),
    z.array(z.string()),
  ])
  .nullish()
  .transform((value): readonly (readonly [string, string])[] =>
    Array.isArray(value)
      ? value.map((line) => {
          const [key = '', text = ''] = line.split(/=(.*)/s)
          return [key, text] as const
        })
      : Object.entries(value ?? {}).map(([key, text]) => [key, String(text ?? '')] as const),
  )
/** Names of files: one line, lines, or objects with a path. */
const filePaths = z
  .union([
    z.string().transform((path) => [path]),
    z.array(
      z.union([z.string(), z.looseObject({ path: z.string() }).transform(({ path }) => path)]),
    ),
  ])
  .nullish()
  .transform((value) => value ?? [])
/** Options of a driver. */
const options = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
  .nullish()
  .transform((value) => value ?? {})

const port = z.looseObject({
  host_ip: text,
  target: z.coerce.number().int(),
  /** One port, a range, or absent: then the daemon chooses. */
  published: z
    .union([z.string(), z.number()])
    .nullish()
    .transform((value) => (value === null || value === undefined ? '' : String(value))),
  protocol: z.string().default('tcp'),
})

const mount = z.looseObject({
  type: z.string(),
  source: text,
  target: text,
  read_only: z.boolean().nullish(),
  bind: z.looseObject({ propagation: text, recursive: text }).nullish(),
})
const hook = z.looseObject({ privileged: z.boolean().nullish() })
const hooks = z
  .array(hook)
  .nullish()
  .transform((value) => value ?? [])

/** A device: a line in older releases, an object in newer ones. */
const device = z.union([
  z.string().transform((line) => line.split(':')[0] ?? line),
  z.looseObject({ source: z.string() }).transform(({ source }) => source),
])
const condition = z.looseObject({ condition: z.string() })

/** Secrets or configs of the model, by name, that a service gets. */
const references = z
  .array(z.looseObject({ source: text }))
  .nullish()
  .transform((value) => value ?? [])
const files = z
  .record(z.string(), z.looseObject({ file: text }).nullable())
  .nullish()
  .transform((value) => value ?? {})
const build = z.looseObject({
  context: text,
  dockerfile: text,
  tags: strings,
  cache_from: strings,
  cache_to: strings,
  extra_hosts: pairs,
  network: text,
  privileged: z.boolean().nullish(),
  entitlements: strings,
  ssh: z.unknown().optional(),
  secrets: references,
  additional_contexts: z
    .record(z.string(), z.string())
    .nullish()
    .transform((value) => value ?? {}),
})

export const composeService = z.looseObject({
  image: z.string().optional(),
  build: build.optional(),
  container_name: z.string().optional(),
  ports: z
    .array(port)
    .nullish()
    .transform((value) => value ?? []),
  network_mode: text,
  pid: text,
  ipc: text,
  uts: text,
  userns_mode: text,
  cgroup: text,
  privileged: z.boolean().nullish(),
  cap_add: strings,
  security_opt: strings,
  sysctls: pairs,
  annotations: pairs,
  env_file: filePaths,
  label_file: filePaths,
  logging: z.looseObject({ driver: text }).nullish(),
  device_cgroup_rules: strings,
  volumes_from: strings,
  devices: z
    .array(device)
    .nullish()
    .transform((value) => value ?? []),
  gpus: z.unknown().optional(),
  use_api_socket: z.boolean().nullish(),
  provider: z.unknown().optional(),
  volumes: z
    .array(mount)
    .nullish()
    .transform((value) => value ?? []),
  secrets: references,
  configs: references,
  post_start: hooks,
  pre_stop: hooks,
  healthcheck: z
    .looseObject({
      disable: z.boolean().nullish(),
      test: z.union([z.array(z.string()), z.string()]).nullish(),
    })
    .nullish(),
  depends_on: z
    .record(z.string(), condition)
    .nullish()
    .transform((value) => value ?? {}),
  networks: z
    .record(
      z.string(),
      z
        .looseObject({
          driver_opts: options,
          ipv4_address: z.string().nullish(),
          ipv6_address: z.string().nullish(),
          mac_address: z.string().nullish(),
          link_local_ips: z.array(z.string()).nullish(),
        })
        .nullable(),
    )
    .nullish()
    .transform((value) => value ?? {}),
  restart: text,
  deploy: z
    .looseObject({
      resources: z
        .looseObject({
          reservations: z.looseObject({ devices: z.array(z.unknown()).nullish() }).nullish(),
        })
        .nullish(),
    })
    .nullish(),
})
export type ComposeService = z.infer<typeof composeService>

const volume = z.looseObject({ name: text, driver: text, driver_opts: options })
const addressPool = z.looseObject({ subnet: text })
const network = z.looseObject({
  name: text,
  driver: text,
  driver_opts: options,
  ipam: z
    .looseObject({
      driver: text,
      options,
      config: z
        .array(addressPool)
        .nullish()
        .transform((value) => value ?? []),
    })
    .nullish(),
})

/** What `docker compose config --format json` prints, as far as HQ reads it; the rest is kept. */
export const composeModel = z.looseObject({
  name: z.string(),
  services: z.record(z.string(), composeService),
  networks: z
    .record(
      z.string(),
      network.nullable().transform((entry) => entry ?? network.parse({})),
    )
    .nullish()
    .transform((value) => value ?? {}),
  volumes: z
    .record(
      z.string(),
      volume.nullable().transform((entry) => entry ?? volume.parse({})),
    )
    .nullish()
    .transform((value) => value ?? {}),
  secrets: files,
  configs: files,
})
export type ComposeVolume = z.infer<typeof volume>
export type ComposeNetwork = z.infer<typeof network>
export type ComposeModel = z.infer<typeof composeModel>
