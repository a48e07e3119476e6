import { describe, expect, it } from 'vitest'
import { isSameAddress, shownAddress } from '#ops/platform/git/remote-address'

describe('G12 two addresses of a remote', () => {
  it.each([
    ['https://github.com/o/r', 'https://github.com/o/r.git'],
    ['https://github.com/o/r.git', 'git@github.com:o/r.git'],
    ['https://token@GitHub.com/o/r/', 'ssh://git@github.com:22/o/r'],
    ['ssh://git@github.com/o/r', 'github.com:o/r'],
    ['https://host:443/o/r', 'https://host/o/r'],
    ['https://host:8443/o/r', 'ssh://git@host:2222/o/r'],
    ['/srv/git/r.git', 'file:///srv/git/r.git'],
    ['../r.git', '/srv/r.git'],
  ])('count as one repository: %s and %s', (one, other) => {
    expect(isSameAddress('/srv/laptop', one, other)).toBe(true)
    expect(isSameAddress('/srv/laptop', other, one)).toBe(true)
  })

  it.each([
    ['https://github.com/o/r', 'https://github.com/fork/r'],
    ['https://github.com/o/r', 'git@gitlab.com:o/r'],
    ['https://github.com/o/r', 'https://github.com.evil.example/o/r'],
    ['https://host/o/r', 'https://host:8443/o/r'],
    ['ssh://host:22/o/r', 'ssh://host:2222/o/r'],
    ['/srv/git/r.git', 'host:/srv/git/r.git'],
    ['/srv/git/r.git', '/srv/git/other.git'],
    ['https://host/o/r', '/o/r'],
  ])('count as two repositories: %s and %s', (one, other) => {
    expect(isSameAddress('/srv/laptop', one, other)).toBe(false)
    expect(isSameAddress('/srv/laptop', other, one)).toBe(false)
  })

  it('are shown without their passwords', () => {
    expect(shownAddress('https://me:secret@host/o/r')).toBe('https://host/o/r')
  })
})
