import { z } from 'zod'
import { accessToken, tokenSettings } from '#shared/connectors/http-token'
import type { SecretKind } from '../common/read-secret.ts'

/** The file, below `$OPENCLAW_ETC/secrets/`. */
export const tokenFile = 'soma_kajabi/http_token.json'

/** The token, and the settings that it was connected with. */
export const httpTokenSecret = {
  schema: z.strictObject({
    schema_version: z.literal(1),
    access_token: accessToken,
    settings: tokenSettings,
  }),
  secrets: ({ access_token }) => [access_token],
  settings: ({ settings }) => settings,
} satisfies SecretKind<z.ZodType<{ access_token: string; settings: Record<string, unknown> }>>
