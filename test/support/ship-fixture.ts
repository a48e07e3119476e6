import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { approve, startResponsesApi, type ResponsesApi, type Script } from './responses-api.ts'
import { makeShipRepo, type ShipRepo } from './ship-repo.ts'

export interface ShipFixture {
  /** The repository of this test. */
  readonly sample: ShipRepo
  /** The review provider of this file. */
  readonly api: ResponsesApi
}

export interface ShipFixtureOptions {
  /** One repository for each test (default), or one for the whole file. */
  readonly repositoryPer?: 'test' | 'file'
  /** `unreachable`: nobody listens at the address of the provider. Default: one is started for the file. */
  readonly provider?: 'unreachable'
  /** How the reviewer answers until a test says otherwise. Default: it approves. */
  readonly script?: Script
  /** Makes the repository what all tests start from. */
  readonly prepare?: (fixture: ShipFixture) => unknown
}

/**
 * A review provider for the file, and a laptop clone with its origin for each test. Call it at the top of a test file.
 */
export function shipFixture({
  repositoryPer = 'test',
  provider,
  script = approve,
  prepare,
}: ShipFixtureOptions = {}): ShipFixture {
  let api: ResponsesApi | null = null
  let sample: ShipRepo | null = null
  const fixture: ShipFixture = {
    get sample() {
      if (sample === null) throw new Error('the repository exists only while a test runs')
      return sample
    },
    get api() {
      if (api === null) throw new Error('no provider was started')
      return api
    },
  }
  const open = async (): Promise<void> => {
    api?.script(script)
    sample = makeShipRepo(api?.base_url ?? 'http://127.0.0.1:9/v1')
    await prepare?.(fixture)
  }
  const close = async (): Promise<void> => {
    await sample?.remove()
    sample = null
  }
  beforeAll(async () => {
    if (provider !== 'unreachable') api = await startResponsesApi()
    if (repositoryPer === 'file') await open()
  })
  if (repositoryPer === 'test') {
    beforeEach(open)
    afterEach(close)
  }
  afterAll(async () => {
    await close()
    await api?.close()
  })
  return fixture
}
