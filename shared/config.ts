import { z } from 'zod'
import { gmailSettings, kajabiSettings } from './connector-settings.ts'

/** A program and its arguments. Never a shell line: no expansion, no quoting, no pipes. */
const argv = z.array(z.string().min(1)).min(1)
const name = z.string().regex(/^[a-z0-9][a-z0-9_-]*$/, 'lower case letters, digits, _ and - only')
/** A path inside the repository: relative, no `..`, no leading dot-slash needed. */
const insidePath = z
  .string()
  .min(1)
  .refine(
    (path) => !path.startsWith('/') && !path.split('/').includes('..'),
    'must stay inside the repository',
  )
const urlPath = z.string().regex(/^\/[^\s]*$/, 'must start with /')

const testSuite = z.strictObject({
  name,
  /** Runs once before the tests, in the same clean worktree: installing what they need. */
  prepare: argv.optional(),
  argv,
  report: z.strictObject({ format: z.literal('junit'), path: insidePath }),
  timeout_seconds: z.number().int().min(1).max(3600).default(600),
  /** Tests that may be skipped, each with a reason and a last day (UTC). */
  allowed_skips: z
    .array(
      z.strictObject({ test: z.string().min(1), reason: z.string().min(1), expires: z.iso.date() }),
    )
    .default([]),
})

const healthCheck = z.strictObject({
  path: urlPath,
  /** The answer must be JSON with `ok: true`; this field of it must be the deployed commit, when named. */
  commit_field: z.string().optional(),
  timeout_seconds: z.number().int().min(1).max(600).default(30),
})

const service = z.strictObject({
  name,
  /** What the engine `process` starts. With `compose` the service of this name in the compose file says it, and this stays empty. */
  argv: z.array(z.string().min(1)).default([]),
  /** Loopback port it listens on; handed to it as PORT. A host's settings may replace it. */
  port: z.number().int().min(1).max(65535),
  health: healthCheck,
})

/** What decides whether a change may pass: gate settings, hooks, CI, and the tests where projects usually keep them. */
export const usualProtectedPaths = [
  'openclaw.config.json',
  '.githooks/**',
  '.github/**',
  '.gitlab-ci.yml',
  '.circleci/**',
  'Jenkinsfile',
  '.gitattributes',
  'package.json',
  'pytest.ini',
  'conftest.py',
  '**/conftest.py',
  'test/**',
  'tests/**',
  '**/test/**',
  '**/tests/**',
  '**/__tests__/**',
  '**/*.test.*',
  '**/*.spec.*',
  '**/test_*.py',
  '**/*_test.*',
]

/** `openclaw.config.json` in the root of the repository that is shipped and deployed (docs/CONFIGURATION.md). */
export const projectConfig = z
  .strictObject({
    schema_version: z.literal(1),
    project: name,
    branch: z.string().min(1).default('main'),
    engine: z.enum(['process', 'compose']).default('process'),
    tests: z.array(testSuite).min(1),
    review: z
      .strictObject({
        /** Most bytes of one question to the reviewer. A larger change goes in packets of whole files; a single file that is larger ends `review_too_large`. */
        max_diff_bytes: z.number().int().min(1).max(2_000_000).default(200_000),
        /** Most packets of one change; more end `review_too_large`. Each leaves three files in a proof of at most 200. */
        max_packets: z.number().int().min(1).max(50).default(20),
        /** Time limit of one question. */
        timeout_seconds: z.number().int().min(1).max(3600).default(900),
      })
      .prefault({}),
    /** Globs of files that a repair of `ship --until-green` is not expected to touch: when it does, the result lists them and the reviewer is told. */
    protected_paths: z.array(z.string().min(1)).default(usualProtectedPaths),
    build: z
      .array(
        z.strictObject({
          name,
          argv,
          timeout_seconds: z.number().int().min(1).max(3600).default(900),
        }),
      )
      .default([]),
    services: z.array(service).default([]),
    /** Key endpoints: each must answer 200 with JSON `ok: true`. */
    endpoints: z.array(z.strictObject({ service: name, path: urlPath })).default([]),
    /** Routes that must exist behind the console, with the token. `/api/dod/last` is always checked. */
    routes: z.array(z.strictObject({ path: urlPath })).default([]),
    compose: z
      .strictObject({
        /** Compose files, the later ones over the earlier. */
        files: z.array(insidePath).min(1).default(['compose.yaml']),
        /** What a container may do although it is refused by default: finding, service and subject exactly as the finding names them. */
        exceptions: z
          .array(
            z.strictObject({
              code: z.string().min(1),
              service: z.string().min(1),
              subject: z.string().min(1),
              reason: z.string().trim().min(1),
            }),
          )
          .default([]),
      })
      .prefault({}),
    ports: z
      .strictObject({
        exceptions: z
          .array(
            z.strictObject({
              protocol: z.enum(['tcp', 'udp']),
              port: z.number().int(),
              reason: z.string().min(1),
            }),
          )
          .default([]),
      })
      .default({ exceptions: [] }),
  })
  .superRefine(({ engine, services }, context) => {
    for (const [i, { argv }] of services.entries()) {
      if (engine === 'process' && argv.length === 0)
        context.addIssue({
          code: 'custom',
          path: ['services', i, 'argv'],
          message: 'must name a program: the engine "process" starts it',
        })
    }
  })
export type ProjectConfig = z.infer<typeof projectConfig>

/** How long logs are kept (design §4). Results, verdicts and manifests are kept for ever, the newest three green runs whole. */
const retention = z.strictObject({
  /** Days after which the logs of a run are deleted. */
  log_days: z.number().int().min(1).max(3650).default(90),
  /** Bytes of all logs together; while there are more, the oldest are deleted. */
  log_bytes: z.number().int().min(0).default(5_000_000_000),
  /** Logs younger than this, in days, are never deleted. */
  min_days: z.number().int().min(1).max(3650).default(7),
})
export type RetentionSettings = z.infer<typeof retention>

/** `$OPENCLAW_ETC/host.json`: what is true of this host, not of the project. Every field has a default for `aiops-1`. */
export const hostSettings = z.strictObject({
  schema_version: z.literal(1).default(1),
  name: z.string().min(1).default('aiops-1'),
  /** How runs are started: `process` (development: a detached process group) or `systemd` (a unit per run). */
  launcher: z.enum(['process', 'systemd']).default('process'),
  /** How the doctor timer is stopped for a deploy. `none` where there is no systemd, and said so in the log. */
  timers: z.enum(['none', 'systemd']).default('none'),
  console_port: z.number().int().min(1).max(65535).default(8787),
  /** Where the route gate and other callers reach the console. Default: the loopback port above. */
  console_url: z.url().optional(),
  /** Values of the Host header that hostd accepts besides its own loopback address and port. */
  hostnames: z.array(z.string()).default([]),
  /** Replaces the ports of services of openclaw.config.json. */
  service_ports: z.record(z.string(), z.number().int().min(1).max(65535)).default({}),
  /** Socket of the Docker daemon (engine `compose`). */
  docker_socket: z.string().startsWith('/').default('/var/run/docker.sock'),
  /** Image with Node 24 or newer that the console's image is made from; fetched only when this machine does not have it. */
  base_image: z
    .string()
    .regex(/^[a-z0-9][\w./:@-]*$/)
    .default('node:24-bookworm-slim'),
  /** How often guard may apply one remediation to one target within an hour; 0: it only looks. */
  guard_per_hour: z.number().int().min(0).max(60).default(5),
  disk_warn_percent: z.number().min(1).max(100).default(85),
  disk_fail_percent: z.number().min(1).max(100).default(95),
  /** Doctor warns when images and build cache of Docker together take this much, GiB. */
  docker_disk_warn_gib: z.number().min(1).max(10_000).default(40),
  /** deploy_until_green: most attempts, and the first pause between two, in seconds (doubles, with jitter). */
  deploy_attempts: z.number().int().min(1).max(10).default(3),
  deploy_backoff_seconds: z.number().min(0).max(600).default(5),
  retention: retention.prefault({}),
  kajabi: kajabiSettings.prefault({}),
  gmail: gmailSettings.prefault({}),
})
export type HostSettings = z.infer<typeof hostSettings>

const reviewProvider = z.strictObject({
  id: z.string().min(1),
  base_url: z.url(),
})

/** `$OPENCLAW_ETC/trust.json`: which reviews a host believes. */
export const trustFile = z.strictObject({
  schema_version: z.literal(1),
  /** Commit from which on every change needs a verdict. */
  baseline: z.string().regex(/^[0-9a-f]{40}$/),
  review_providers: z.array(reviewProvider),
  /** Ship keys (Ed25519, SPKI PEM) of enrolled laptops; empty means verdicts are shown as unverified. */
  keys: z.array(z.strictObject({ id: z.string(), public_key: z.string() })).default([]),
})
export type TrustFile = z.infer<typeof trustFile>

/** `$OPENCLAW_HQ_HOME/settings.json`: the operator's own, on the laptop. Tokens and keys are never in it. */
export const operatorSettings = z.strictObject({
  schema_version: z.literal(1).default(1),
  repository: z.string().nullable().default(null),
  host: z
    .strictObject({ name: z.string().min(1), url: z.url() })
    .nullable()
    .default(null),
  theme: z.enum(['system', 'light', 'dark']).default('system'),
  review: z
    .strictObject({
      /** Codex program; default: the one installed with HQ, else the one in PATH. */
      codex: z.string().nullable().default(null),
      model: z.string().min(1).default('gpt-5.2-codex'),
      provider: z.string().min(1).default('openai'),
      /** An approval of the very same question is used again while it is younger than this; 0: never. */
      reuse_approved_hours: z.number().min(0).max(720).default(24),
      /** Accepted providers. A base URL of one's own is accepted only when it stands here. */
      providers: z
        .array(
          reviewProvider.extend({
            label: z.string().min(1),
            /** Name of the environment variable of HQ that holds the key; null: Codex's own sign-in. */
            env_key: z
              .string()
              .regex(/^[A-Z][A-Z0-9_]*$/)
              .nullable(),
            /** A demo provider whose answers are scripted; every verdict of it is labelled "scripted (demo)". */
            scripted: z.boolean().default(false),
          }),
        )
        .default([
          {
            id: 'openai',
            label: 'OpenAI',
            base_url: 'https://api.openai.com/v1',
            env_key: null,
            scripted: false,
          },
        ]),
    })
    .prefault({}),
  until_green: z
    .strictObject({
      /** HQ's switch: most repairs of one ship; 0 is off. At a terminal `--until-green` says it. */
      repairs: z.number().int().min(0).max(10).default(0),
      /** The implementer: program and arguments, the prompt on standard input, the copy to change as its folder. Null: the Codex CLI with workspace-write. */
      argv: argv.nullable().default(null),
      /** Of the Codex CLI; null: as for the review. */
      model: z.string().min(1).nullable().default(null),
      provider: z.string().min(1).nullable().default(null),
      /** Time limit of one repair. */
      timeout_seconds: z.number().int().min(1).max(14_400).default(1800),
      /** Variables of HQ's environment that a program of one's own gets; it gets no others. */
      env: z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/)).default([]),
    })
    .prefault({}),
  /** Per repository (absolute path): the commit from which on changes are reviewed. Set at the first ship. */
  baselines: z.record(z.string(), z.string()).default({}),
  /** The same for the proof of ships on this laptop. */
  retention: retention.prefault({}),
})
export type OperatorSettings = z.infer<typeof operatorSettings>

/**
 * `$OPENCLAW_HQ_HOME/enrolment.json` (mode 0600): a host handed to HQ by an installer. HQ takes it at its start: the token
 * goes to the keystore, the address to the settings, and the file is deleted.
 */
export const enrolment = z.strictObject({
  schema_version: z.literal(1),
  name: z.string().trim().min(1).max(100),
  url: z.url(),
  token: z.string().min(1).max(400),
})
export type Enrolment = z.infer<typeof enrolment>
