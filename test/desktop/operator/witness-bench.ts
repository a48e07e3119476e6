import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import type { BundleKind } from '#shared/proof'
import type { Output } from '#shared/bridge'
import { writeJson } from '#ops/base/files/json-file'
import { proofKey } from '#ops/core/proof/proof-key'
import { hostProofPaths } from '#ops/base/paths/proof-paths'
import { sealBundle } from '#ops/core/proof/seal-bundle'
import { startHostd, testHost, type TestHost, type TestHostd } from '../../support/hostd.ts'
import { operatorBench, until, type OperatorBench } from '../../support/operator-bench.ts'

export const idOf = (n: number): string =>
  `20261101T${String(100000 + n)}Z-${n.toString(16).padStart(8, '0')}`

/** A host with three sealed bundles that HQ has witnessed, new for each test. */
export function witnessedHost() {
  let host: TestHost
  let hostd: TestHostd
  let bench: OperatorBench
  beforeEach(async () => {
    host = testHost()
    hostd = await startHostd(host)
    bench = operatorBench()
    await seal(1, 3)
    await bench.call('settings.set_host', { name: 'aiops-1', url: hostd.url, token: host.token })
    await until(
      'HQ has witnessed the host',
      async () => (await list()).witnesses[0]?.seen?.counter === 3,
    )
    // The look that saw it goes on with what it saw before: a test that changed the chain under it would be seen half
    // done.
    await bench.call('proofs.check', {})
  })
  afterEach(async () => {
    await bench.remove()
    await hostd.kill()
    await host.remove()
  })

  const dirOf = (n: number, kind: BundleKind = 'doctor'): string =>
    join(host.paths.artifacts, kind, idOf(n))
  const seal = async (from: number, to: number, kind: BundleKind = 'doctor'): Promise<void> => {
    const places = hostProofPaths(host.paths)
    for (let n = from; n <= to; n += 1) {
      writeJson(join(dirOf(n, kind), `${kind}.json`), { run: n })
      writeFileSync(join(dirOf(n, kind), 'run.log'), `log of ${n}\n`)
      await sealBundle({
        dir: dirOf(n, kind),
        kind,
        runId: idOf(n),
        chainFile: places.chainFile,
        key: await proofKey(places),
        gitHead: null,
        gitTree: null,
      })
    }
  }
  const list = (): Promise<Output<'proofs.list'>> => bench.call('proofs.list', {})
  /** What is wrong after HQ has looked at everything. */
  const alarms = async (): Promise<
    { code: string; run_id: string | null; counter: number | null; detail: string }[]
  > => {
    await bench.call('proofs.check', {})
    return (await list()).witnesses.flatMap(({ open }) => open)
  }
  const backup = (): { restore(): void } => {
    const copy = mkdtempSync(join(tmpdir(), 'backup-'))
    for (const part of ['artifacts', 'state', 'etc'] as const)
      cpSync(host.paths[part], join(copy, part), {
        recursive: true,
        filter: (path) => !path.includes('hostd') && !path.includes('locks'),
      })
    return {
      restore: () => {
        for (const part of ['artifacts', 'state', 'etc'] as const) {
          for (const name of ['doctor', 'deploy', 'proof', 'keys'])
            rmSync(join(host.paths[part], name), { recursive: true, force: true })
          cpSync(join(copy, part), host.paths[part], { recursive: true, force: true })
        }
        rmSync(copy, { recursive: true, force: true })
      },
    }
  }
  return {
    get host() {
      return host
    },
    get hostd() {
      return hostd
    },
    /** The one that a test started in its place. */
    set hostd(next: TestHostd) {
      hostd = next
    },
    get bench() {
      return bench
    },
    dirOf,
    seal,
    list,
    alarms,
    backup,
  }
}
