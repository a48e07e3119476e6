/** One attempt to connect a connector: the laptop runs it, the page shows it. No secret is in it. */
import { z } from 'zod'
import { connectorName } from './connectors.ts'
import { connectorModes } from './connectors/list.ts'
import { connectSteps, type ConnectStepId } from './connectors/ways.ts'
import { errorClasses } from './errors.ts'
import { remediationIds } from './errors/remediations.ts'
import { runId, timestamp } from './ids.ts'

const stepIds = Object.keys(connectSteps) as [ConnectStepId, ...ConnectStepId[]]

export const connectStep = z.strictObject({
  id: z.enum(stepIds),
  title: z.string(),
  /** `you`: a person must act. */
  state: z.enum(['wait', 'running', 'you', 'pass', 'fail']),
  /** A few words on what was found, or what is used. */
  detail: z.string().nullable(),
  started_at: timestamp.nullable(),
  ended_at: timestamp.nullable(),
})
export type ConnectStep = z.infer<typeof connectStep>

export const connectFlow = z.strictObject({
  id: z.string(),
  connector: connectorName,
  mode: z.enum(connectorModes),
  started_at: timestamp,
  steps: z.array(connectStep).min(1),
  /** What is waited for now, in one sentence. */
  waiting_for: z.string().nullable(),
  /** The person has until then; null: nothing is waited for, or without a limit. */
  deadline: timestamp.nullable(),
  /** A browser window of HQ is open, and can be brought to the front. */
  window: z.boolean(),
  /** Address that the person opens, when HQ could not open it or another device is used. */
  open_url: z.string().nullable(),
  /** Code that the person enters there. */
  user_code: z.string().nullable(),
  /** The run on the host that proves the secret. */
  run_id: runId.nullable(),
  /** null: the attempt goes on. */
  end: z
    .strictObject({
      state: z.enum(['ready', 'failed', 'cancelled']),
      at: timestamp,
      /** What happened, and what stayed as it was. */
      message: z.string(),
      error_class: z.enum(errorClasses).nullable(),
      next_auto_fix: z.enum(remediationIds).nullable(),
    })
    .nullable(),
})
export type ConnectFlow = z.infer<typeof connectFlow>

/** The same in a word. */
export const connecting = z.strictObject({
  name: connectorName,
  /** `you`: a person must act. `failed`: it ended so, and was not dismissed. */
  state: z.enum(['running', 'you', 'failed']),
})
export type Connecting = z.infer<typeof connecting>

/** An attempt in a word; null: it ended otherwise than by a failure. */
export function stateOfAttempt({ end, steps }: ConnectFlow): Connecting['state'] | null {
  if (end !== null) return end.state === 'failed' ? 'failed' : null
  return steps.some(({ state }) => state === 'you') ? 'you' : 'running'
}
