import { z } from 'zod'
import { engineName } from './engines.ts'
import { argv } from './parts.ts'

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
  name: name.describe('Name of the suite.'),
  prepare: argv
    .optional()
    .describe(
      'Runs once before the tests, in the same clean tree; installs what they need, into that tree.',
    ),
  argv: argv.describe(
    'Runs the tests. A leading `hq` is the HQ that ships, never a program of the change or of `PATH`.',
  ),
  report: z
    .strictObject({
      format: z.literal('junit').describe('Format of the report.'),
      path: insidePath.describe('Path of the report, inside the repository.'),
    })
    .describe('The report from which results and skips are counted.'),
  timeout_seconds: z
    .number()
    .int()
    .min(1)
    .max(3600)
    .default(600)
    .describe('Time limit of the suite, seconds.'),
  allowed_skips: z
    .array(
      z.strictObject({
        test: z.string().min(1).describe('Name of the test, as the report names it.'),
        reason: z.string().min(1).describe('Why it may be skipped.'),
        expires: z.iso.date().describe('Last day (UTC) on which the skip is accepted.'),
      }),
    )
    .default([])
    .describe('Tests that may be skipped. Any other skip fails the ship.'),
})

const healthCheck = z.strictObject({
  path: urlPath.describe('Must answer JSON with `ok: true`.'),
  commit_field: z
    .string()
    .optional()
    .describe('Field of the answer that must hold the deployed commit.'),
  timeout_seconds: z
    .number()
    .int()
    .min(1)
    .max(600)
    .default(30)
    .describe('How long a start may take until the service is healthy, seconds.'),
})

const service = z.strictObject({
  name: name.describe(
    'Name of the service; with the engine `compose` its name in the compose file.',
  ),
  argv: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'What the engine `process` starts. Empty with `compose`: the compose file defines it.',
    ),
  port: z
    .number()
    .int()
    .min(1)
    .max(65535)
    .describe('Loopback port; passed to the program as `PORT`. `host.json` may replace it.'),
  health: healthCheck.describe('How HQ finds out that the service is healthy.'),
  retired: z
    .boolean()
    .default(false)
    .describe(
      'Announces that the next version may do without this service. A deploy refuses a service that goes unannounced.',
    ),
})

/** What decides whether a change may pass: gate settings, hooks, CI, and the tests where projects usually keep them. */
export const defaultProtectedPaths = [
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
    schema_version: z.literal(1).describe('Version of this format.'),
    project: name.describe('Name of the project.'),
    branch: z
      .string()
      .min(1)
      .default('main')
      .describe('The branch that is shipped and deployed. A gate setting.'),
    engine: engineName
      .default('process')
      .describe('What runs the services: plain processes or Docker Compose.'),
    tests: z.array(testSuite).min(1).describe('Test suites; every one must pass. A gate setting.'),
    review: z
      .strictObject({
        max_diff_bytes: z
          .number()
          .int()
          .min(1)
          .max(2_000_000)
          .default(200_000)
          .describe(
            'Most bytes of one review request. A larger change is split into packets of whole files; ' +
              'a single file that is larger ends the ship as `review_too_large`.',
          ),
        // Each packet leaves three files in a proof of at most 200.
        max_packets: z
          .number()
          .int()
          .min(1)
          .max(50)
          .default(20)
          .describe('Most packets of one change; a change with more ends as `review_too_large`.'),
        timeout_seconds: z
          .number()
          .int()
          .min(1)
          .max(3600)
          .default(900)
          .describe('Time limit of one review request, seconds.'),
      })
      .prefault({})
      .describe('Limits of the review. A gate setting.'),
    protected_paths: z
      .array(z.string().min(1))
      .default(defaultProtectedPaths)
      .describe(
        'Globs of files that a repair of `hq ship --until-green` should not touch. When it does, the ' +
          'result lists them and the reviewer is informed.',
      ),
    build: z
      .array(
        z.strictObject({
          name: name.describe('Name of the build command.'),
          argv: argv.describe('Program and arguments.'),
          timeout_seconds: z
            .number()
            .int()
            .min(1)
            .max(3600)
            .default(900)
            .describe('Time limit of the command, seconds.'),
        }),
      )
      .default([])
      .describe('Build commands; they run in an export of the commit, before anything is stopped.'),
    services: z.array(service).default([]).describe('What runs on the host.'),
    endpoints: z
      .array(
        z.strictObject({
          service: name.describe('Name of the service.'),
          path: urlPath.describe('Path on the port of that service.'),
        }),
      )
      .default([])
      .describe('Key endpoints. Each must answer 200 with JSON `ok: true` after a deploy.'),
    routes: z
      .array(z.strictObject({ path: urlPath.describe('Path on the console.') }))
      .default([])
      .describe(
        'Routes that must exist behind the console, requested with the token. `/api/dod/last` is ' +
          'always checked.',
      ),
    compose: z
      .strictObject({
        files: z
          .array(insidePath)
          .min(1)
          .default(['compose.yaml'])
          .describe(
            'Compose files, the later ones over the earlier. `${PORT_<NAME>}` is the port of a ' +
              'service, `${OPENCLAW_GIT_HEAD}` the commit.',
          ),
        exceptions: z
          .array(
            z.strictObject({
              code: z.string().min(1).describe('Code of the finding.'),
              service: z.string().min(1).describe('Service, as the finding names it.'),
              subject: z.string().min(1).describe('Subject, as the finding names it.'),
              reason: z.string().trim().min(1).describe('Why it is allowed.'),
            }),
          )
          .default([])
          .describe('What a container may do although it is refused by default.'),
      })
      .prefault({})
      .describe('Settings of the engine `compose`.'),
    ports: z
      .strictObject({
        exceptions: z
          .array(
            z.strictObject({
              protocol: z.enum(['tcp', 'udp']).describe('Protocol of the address.'),
              port: z.number().int().describe('Port of the address.'),
              reason: z.string().min(1).describe('Why it may be public.'),
            }),
          )
          .default([])
          .describe('Addresses that may be reachable from outside loopback and the tailnet.'),
      })
      .default({ exceptions: [] })
      .describe('Settings of the port audit.'),
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
