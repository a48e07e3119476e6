/** What Phase 0 collects, once every connector is ready: a snapshot of the Kajabi library and a Gmail harvest. */
import { z } from 'zod'
import { runId, timestamp } from './ids.ts'

/** What is collected: a step of Phase 0 each. */
export const collectParts = ['library', 'harvest'] as const
export type CollectPart = (typeof collectParts)[number]

/** The files beside `phase0_result.json`, in `artifacts/phase0/<run_id>/`. */
export const libraryFile = 'kajabi_library_snapshot.json'
export const harvestFile = 'gmail_harvest.jsonl'

/** Longest text of each kind, in characters. What a service sends beyond it is cut. */
export const longest = {
  title: 300,
  href: 1000,
  person: 1000,
  people: 4000,
  subject: 2000,
  label: 200,
} as const
/** Most labels and most attachments of one message that are kept. */
export const mostParts = 100

const textUpTo = (length: number) => z.string().max(length)

/** A link of a library page that stands for an item. Its text and address are the service's, and only data. */
export const libraryItem = z.strictObject({
  title: textUpTo(longest.title),
  /** Path and query, on the host of the snapshot. */
  href: textUpTo(longest.href),
})
export type LibraryItem = z.infer<typeof libraryItem>

/** One page of the library, without its items. */
export const libraryPage = z.strictObject({
  /** Path and query that were requested. */
  path: textUpTo(longest.href),
  title: textUpTo(longest.title),
})
export type LibraryPage = z.infer<typeof libraryPage>

/** What ended a collection before everything was there; null: nothing did. */
export const libraryLimit = z.enum(['pages', 'items']).nullable()
export const harvestLimit = z.enum(['messages', 'pages', 'bytes']).nullable()

/** `kajabi_library_snapshot.json` */
export const librarySnapshot = z.strictObject({
  type: z.literal('openclaw.kajabi_library_snapshot'),
  schema_version: z.literal(1),
  run_id: runId,
  taken_at: timestamp,
  host: z.string(),
  /** false: the run ended before it had read every page, or a limit left something out. */
  complete: z.boolean(),
  /** The limit of host.json that left something out. */
  limit: libraryLimit,
  items: z.number().int().nonnegative(),
  pages: z.array(z.strictObject({ ...libraryPage.shape, items: z.array(libraryItem) })),
})
export type LibrarySnapshot = z.infer<typeof librarySnapshot>

const messageId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'is not the id of a message')

/** One line of `gmail_harvest.jsonl`: metadata of one message, never its text. A field is absent when not configured. */
export const harvestRecord = z.strictObject({
  id: messageId,
  thread: messageId.nullable(),
  /** When the service received it; null: it did not say. */
  date: timestamp.nullable(),
  from: textUpTo(longest.person).optional(),
  to: textUpTo(longest.people).optional(),
  subject: textUpTo(longest.subject).optional(),
  labels: z.array(textUpTo(longest.label)).max(mostParts).optional(),
  attachments: z
    .array(
      z.strictObject({
        name: textUpTo(longest.title),
        /** Bytes, as the service counts them. */
        size: z.number().int().nonnegative(),
      }),
    )
    .max(mostParts)
    .optional(),
})
export type HarvestRecord = z.infer<typeof harvestRecord>

/** What the result document says of the snapshot. */
export const librarySummary = z.strictObject({
  pages: z.number().int().nonnegative(),
  items: z.number().int().nonnegative(),
  complete: z.boolean(),
  limit: libraryLimit,
})

/** What the result document says of the harvest. */
export const harvestSummary = z.strictObject({
  query: z.string(),
  messages: z.number().int().nonnegative(),
  /** Of those, the messages that an earlier run without an end had read. */
  resumed: z.number().int().nonnegative(),
  complete: z.boolean(),
  limit: harvestLimit,
})
export type LibrarySummary = z.infer<typeof librarySummary>
export type HarvestSummary = z.infer<typeof harvestSummary>
