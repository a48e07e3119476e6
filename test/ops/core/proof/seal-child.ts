import { readFileSync } from 'node:fs'
import { signingKeyFromPem } from '#ops/core/trust/signing-key'
import { sealBundle } from '#ops/core/proof/seal-bundle'

/** A process that seals one bundle: `seal-child.ts <folder> <run id> <chain file> <key file>`. */
const [dir = '', runId = '', chainFile = '', keyFile = ''] = process.argv.slice(2)
const { state } = await sealBundle({
  dir,
  kind: 'deploy',
  runId,
  chainFile,
  key: signingKeyFromPem(readFileSync(keyFile, 'utf8'), keyFile),
  gitHead: null,
  gitTree: null,
})
process.stdout.write(state)
