import type { Connector } from '../common/connector.ts'
import { secretFile } from '../common/read-secret.ts'
import { checkHttpToken } from './check.ts'
import { httpTokenSecret, tokenFile } from './secret.ts'

export const http_token: Connector<'http_token'> = {
  secrets: () => ({ token: secretFile(tokenFile, ['header'], httpTokenSecret) }),
  check: checkHttpToken,
}
