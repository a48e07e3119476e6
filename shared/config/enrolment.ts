import { z } from 'zod'

/**
 * `$OPENCLAW_HQ_HOME/enrolment.json` (mode 0600): an installer enrols a host in HQ. At its start HQ moves the token
 * to the keystore and the address to the settings, and deletes the file.
 */
export const enrolment = z.strictObject({
  schema_version: z.literal(1).describe('Version of this format.'),
  name: z.string().trim().min(1).max(100).describe('Name of the host in HQ.'),
  url: z.url().describe('Address of its hostd.'),
  token: z.string().min(1).max(400).describe('Admin token of the host.'),
})
export type Enrolment = z.infer<typeof enrolment>
