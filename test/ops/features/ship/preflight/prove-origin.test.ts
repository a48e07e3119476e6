import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { newRunId } from '#shared/ids'
import { reviewRef } from '#shared/verdict'
import { shipFixture } from '../../../../support/ship-fixture.ts'
import { expectPreflightStop, runPreflight } from '../../../../support/ship-preflight.ts'
import { expectStop } from '../../../../support/ship-stop.ts'

// Case G11: main once moved without its verdict, because origin hid refs/openclaw.

const at = shipFixture({
  provider: 'unreachable',
  prepare: ({ sample }) => sample.commit('Second', { 'second.txt': 'x\n' }),
})

const origin = (...args: string[]): string => at.sample.git('--git-dir', at.sample.origin, ...args)
const hook = (name: string, body: string): void => {
  const path = join(at.sample.origin, 'hooks', name)
  writeFileSync(path, `#!/bin/sh\n${body}\n`)
  chmodSync(path, 0o755)
}
const unsuitable = { error_class: 'origin_unsuitable', fix: 'prepare_origin', exit: 2 } as const

describe('G11 an origin that does not take a commit with its verdict', () => {
  it.each([
    ['transfer.hideRefs', 'refs/openclaw', 'deny updating a hidden ref'],
    ['receive.hideRefs', 'refs/openclaw/reviews', 'deny updating a hidden ref'],
    ['receive.hideRefs', 'refs/openclaw/statements', 'deny updating a hidden ref'],
    ['uploadpack.hideRefs', 'refs/openclaw', 'does not show it'],
    ['uploadpack.hideRefs', 'refs/openclaw/statements', 'statements/probe-'],
    ['receive.advertiseAtomic', 'false', 'does not support --atomic'],
  ])('is refused in preflight: %s %s', async (name, value, detail) => {
    origin('config', name, value)
    await expectPreflightStop(at.sample, { ...unsuitable, detail })
    origin('config', '--unset', name)
    expect((await runPreflight(at.sample)).problem).toBeNull()
  })

  it('is refused when the laptop signs its pushes and origin cannot check that', async () => {
    at.sample.git('config', 'push.gpgSign', 'true')
    await expectPreflightStop(at.sample, { ...unsuitable, detail: 'does not support --signed' })
  })

  it.each([
    [
      'pre-receive',
      'test -n "$GIT_PUSH_CERT" || { echo "a push certificate is required" >&2; exit 1; }',
      'a push certificate is required',
    ],
    ['update', 'case "$1" in refs/openclaw/*) exit 1;; esac', 'hook declined'],
  ])('is refused when its %s hook refuses it, in its own words', async (name, body, detail) => {
    hook(name, body)
    await expectPreflightStop(at.sample, { ...unsuitable, detail })
  })

  it('stops a whole ship before a test runs', async () => {
    origin('config', 'transfer.hideRefs', 'refs/openclaw')
    const { result } = await expectStop(at.sample, { ...unsuitable, step: 'preflight' })
    expect(result.tests).toEqual([])
  })

  it('is not the class of a laptop that may not push', async () => {
    at.sample.git('config', 'remote.origin.receivepack', 'false')
    await expectPreflightStop(at.sample, {
      error_class: 'push_rejected',
      fix: 'allow_push',
      exit: 1,
      detail: 'refused a trial push',
    })
  })
})

describe('G11 the throw-away ref', () => {
  const old = reviewRef('probe-20260101T000000Z-0123abcd')
  const young = reviewRef(`probe-${newRunId()}`)

  it('is deleted again, and so is one that a killed ship left; one of another laptop stays', async () => {
    const commit = origin('rev-parse', 'refs/heads/main')
    for (const ref of [old, young]) origin('update-ref', ref, commit)
    const before = at.sample.remoteRefs()
    expect((await runPreflight(at.sample)).problem).toBeNull()
    const { [old]: gone, ...rest } = before
    expect(gone).toBe(commit)
    expect(at.sample.remoteRefs()).toEqual(rest)
  })

  it('stays, and does not stop the ship, when origin refuses to delete it', async () => {
    hook('update', 'case "$3" in *[!0]*) ;; *) exit 1;; esac')
    expect((await runPreflight(at.sample)).problem).toBeNull()
    const probes = Object.keys(at.sample.remoteRefs()).filter((ref) => ref.includes('/probe-'))
    expect(probes).toHaveLength(2)
    expect((await runPreflight(at.sample)).problem).toBeNull()
  })
})
