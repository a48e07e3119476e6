import type { Environment } from '#ops/base/env'
import type { RunEnd } from './host/deploys.ts'
import type { Keystore } from './settings/keystore.ts'

/** What the operator services are given by the desktop app or by `hq serve`. */
export interface OperatorOptions {
  readonly mode: 'desktop' | 'serve'
  /** `$OPENCLAW_HQ_HOME` */
  readonly home: string
  readonly keystore: Keystore
  readonly version: string
  readonly env: Environment
  /** The log of HQ on this machine. Never shown to the renderer. */
  readonly log: (text: string) => void
  /** A ship or deploy that was seen running has ended. */
  readonly onRunEnded?: (end: RunEnd) => void
}
