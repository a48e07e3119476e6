/** What a harvest may keep of a message besides id, thread and date. */
export const harvestFields = ['from', 'to', 'subject', 'labels', 'attachments'] as const
export type HarvestField = (typeof harvestFields)[number]
