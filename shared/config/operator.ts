import { z } from 'zod'
import { enrolledHost } from './enrolled-host.ts'
import { argv, retention, reviewProvider } from './parts.ts'

/** `$OPENCLAW_HQ_HOME/settings.json`: the operator's own, on the laptop. Tokens and keys are never in it. */
export const operatorSettings = z.strictObject({
  schema_version: z.literal(1).default(1).describe('Version of this format.'),
  repository: z.string().nullable().default(null).describe('Repository that Ship ships.'),
  host: enrolledHost
    .nullable()
    .default(null)
    .describe('The selected host: Ship and Deploy use it.'),
  hosts: z.array(enrolledHost).default([]).describe('Further enrolled hosts.'),
  theme: z.enum(['system', 'light', 'dark']).default('system').describe('Colours of HQ.'),
  review: z
    .strictObject({
      codex: z
        .string()
        .nullable()
        .default(null)
        .describe('Codex program; default: the one of HQ. It must not lie in the repository.'),
      model: z.string().min(1).default('gpt-5.2-codex').describe('Model of the review.'),
      provider: z
        .string()
        .min(1)
        .default('openai')
        .describe('Id of the provider that is used; one of `review.providers[]`.'),
      reuse_approved_hours: z
        .number()
        .min(0)
        .max(720)
        .default(24)
        .describe(
          'An approval of the very same request is used again for so many hours; 0: never.',
        ),
      providers: z
        .array(
          reviewProvider.extend({
            label: z.string().min(1).describe('Name of the provider in HQ.'),
            env_key: z
              .string()
              .regex(/^[A-Z][A-Z0-9_]*$/)
              .nullable()
              .describe('Environment variable that holds the key; null: the sign-in of Codex.'),
            scripted: z
              .boolean()
              .default(false)
              .describe('Demo provider with scripted answers; its verdicts are labelled so.'),
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
        ])
        .describe('Accepted providers. A base URL that is not listed here is refused.'),
    })
    .prefault({})
    .describe('Who reviews, and how.'),
  until_green: z
    .strictObject({
      repairs: z
        .number()
        .int()
        .min(0)
        .max(10)
        .default(0)
        .describe('Most repairs of one ship started in HQ; 0: off. The CLI has `--until-green N`.'),
      argv: argv
        .nullable()
        .default(null)
        .describe(
          'The implementer: program and arguments. It gets the prompt on standard input, starts in the ' +
            'copy to change, and runs with your rights. Null: the Codex CLI, workspace-write, no network.',
        ),
      model: z
        .string()
        .min(1)
        .nullable()
        .default(null)
        .describe('Model of the Codex CLI as implementer; null: that of the review.'),
      provider: z
        .string()
        .min(1)
        .nullable()
        .default(null)
        .describe('Provider of the Codex CLI as implementer; null: that of the review.'),
      timeout_seconds: z
        .number()
        .int()
        .min(1)
        .max(14_400)
        .default(1800)
        .describe('Time limit of one repair, seconds.'),
      env: z
        .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/))
        .default([])
        .describe('Variables of HQ that `until_green.argv` gets; it gets no others.'),
    })
    .prefault({})
    .describe('Repairs of a red ship.'),
  baselines: z
    .record(z.string(), z.string())
    .default({})
    .describe(
      'By repository (absolute path): the commit from which on changes are reviewed. Set at the first ' +
        'ship.',
    ),
  retention: retention.prefault({}).describe('How long logs of ships on this laptop are kept.'),
})
export type OperatorSettings = z.infer<typeof operatorSettings>
