import type { CardModel } from './model.ts'
import type { Requests } from './use-connectors.ts'

/** What the parts of a card are given. */
export interface CardProps {
  readonly card: CardModel
  /** Its button is the filled one of the page. */
  readonly filled: boolean
  /** The person opened its form. */
  readonly open: boolean
  readonly onOpen: (open: boolean) => void
  /** The run that checks connectors now. */
  readonly checking: string | null
  readonly requests: Requests
}
