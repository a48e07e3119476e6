import type { CardModel } from './model.ts'
import type { Requests } from './use-connectors.ts'

/** Values of a form, by field. */
export type Typed = Readonly<Record<string, string>>

/** What the parts of a card are given. */
export interface CardProps {
  readonly card: CardModel
  /** Its button is the filled one of the page. */
  readonly filled: boolean
  /** The person opened its form. */
  readonly open: boolean
  /** The way that its form starts with; null: the one of the host. */
  readonly mode: string | null
  readonly onOpen: (open: boolean, mode?: string) => void
  /** What was typed into its form; of one that was sent or closed, the settings alone. */
  readonly typed: Typed
  readonly onTyped: (change: (typed: Typed) => Typed) => void
  /** The run that checks connectors now. */
  readonly checking: string | null
  readonly requests: Requests
}
