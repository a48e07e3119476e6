/** How a person connects a connector: the form of each mode, and the steps that follow it. */

/** Every step of a connect attempt, with the title that HQ shows. */
export const connectSteps = {
  client: 'Client file checked',
  form: 'Form checked',
  open: 'Browser opened',
  sign_in: 'Sign in, second factor included',
  allow: 'Access allowed in your browser',
  code: 'Code entered in your browser',
  exchange: 'Token received',
  check: 'Check the sign-in',
  send: 'Send it to the host',
  prove: 'Prove it is alive',
} as const
export type ConnectStepId = keyof typeof connectSteps

/** One field of the form that starts the attempt. */
export interface ConnectField {
  readonly name: string
  readonly label: string
  /** `secret`: typed and never shown. `file`: the content of a chosen or dropped file. */
  readonly kind: 'text' | 'secret' | 'file'
  /** What belongs in it, in a few words. */
  readonly hint: string
  /** May be left empty: HQ does without it. */
  readonly optional?: boolean
  /** HQ keeps its value on the laptop after an attempt that succeeded. The next one may leave it empty. */
  readonly kept?: boolean
  /**
   * Its value is the setting of this name in host.json, from the proof of the secret on; the form begins with what the
   * host has. @returns the setting that a text means
   */
  readonly setting?: (typed: string) => unknown
  /** The card of a connected connector shows this setting. */
  readonly shown?: boolean
  /** @returns why a value cannot be used, in one sentence; null: it can, as far as its form says */
  readonly problem?: (value: string) => string | null
}

/** One way to connect: a mode of the connector. */
export interface ConnectWay {
  /** Short, for a tab. */
  readonly title: string
  /** What happens, and what HQ keeps. */
  readonly text: string
  readonly fields: readonly ConnectField[]
  readonly steps: readonly ConnectStepId[]
  /** What the service is requested to allow, shown before the attempt starts. */
  readonly scopes?: readonly { readonly scope: string; readonly text: string }[]
  /** What speaks against this way, in a sentence or two. */
  readonly warning?: string
  /** The mode to connect by when the service does not allow this one. */
  readonly instead?: string
  /** The secret that reaches the host in the end: one of the connector's `secrets`. */
  readonly secret: string
}
