import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { createSocket } from 'node:dgram'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { runChecks } from '#ops/core/checks/check'
import { watchAvailability } from '#ops/host/engines/common/availability'
import { exportCommit } from '#ops/platform/git/export-commit'
import { treeDigest } from '#ops/base/files/tree-digest'
import { fromLsof, isLoopback, openSockets } from '#ops/platform/net/sockets'
import { until } from '../../../../support/hostd.ts'
import { freePort } from '../../../../support/ports.ts'

const dir = mkdtempSync(join(tmpdir(), 'openclaw-pieces-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe('the digest of a build', () => {
  const tree = join(dir, 'tree')
  mkdirSync(join(tree, 'sub'), { recursive: true })
  writeFileSync(join(tree, 'a'), 'one')
  writeFileSync(join(tree, 'sub', 'b'), 'two')
  symlinkSync('a', join(tree, 'link'))
  const first = treeDigest(tree)

  it('is the same anywhere and at any time', () => {
    const copy = join(dir, 'copy')
    cpSync(tree, copy, { recursive: true, verbatimSymlinks: true })
    utimesSync(join(copy, 'a'), 0, 0)
    expect(treeDigest(copy)).toBe(first)
  })

  it.each([
    ['a byte', () => writeFileSync(join(tree, 'a'), 'One')],
    ['a name', () => writeFileSync(join(tree, 'c'), '')],
    ['an executable bit', () => chmodSync(join(tree, 'a'), 0o755)],
    [
      'where a link leads',
      () => {
        rmSync(join(tree, 'link'))
        symlinkSync('sub/b', join(tree, 'link'))
      },
    ],
    ['an empty folder', () => mkdirSync(join(tree, 'empty'))],
  ])('changes with %s', (_what, change) => {
    const before = treeDigest(tree)
    change()
    expect(treeDigest(tree)).not.toBe(before)
  })
})

it('a commit is exported byte for byte: no attribute of it changes a file or leaves one out', async () => {
  const [repo, out] = [join(dir, 'clone'), join(dir, 'exported')]
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: repo,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: dir },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  const files = {
    'run.sh': 'echo one\n',
    'page.txt': 'two\n',
    'id.c': '$Id$\n',
    'left-out': 'three\n',
    '.gitattributes':
      '*.sh text eol=crlf\n*.txt working-tree-encoding=UTF-16LE\n*.c ident\nleft-out export-ignore\n* filter=other\n',
  }
  mkdirSync(repo)
  git('init', '--quiet')
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(dir, 'blob'), text)
    git(
      'update-index',
      '--add',
      '--cacheinfo',
      `100644,${git('hash-object', '-w', '--no-filters', join(dir, 'blob'))},${name}`,
    )
  }
  git('config', 'filter.other.smudge', 'tr a-z A-Z')
  const tree = git('write-tree')
  await exportCommit(
    repo,
    {
      sha: git(
        '-c',
        'user.name=Test',
        '-c',
        'user.email=test@localhost',
        'commit-tree',
        '-m',
        'One',
        tree,
      ),
      folder: out,
    },
    {},
  )
  expect(
    Object.fromEntries(
      readdirSync(out).map((name) => [name, readFileSync(join(out, name), 'utf8')]),
    ),
  ).toEqual(files)
})

describe('open sockets', () => {
  it('are seen with their address, port and process, for TCP and UDP', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const socket = createSocket('udp4')
    await new Promise<void>((resolve) => {
      socket.bind(0, resolve)
    })
    const mine = openSockets().filter(({ pids }) => pids.includes(process.pid))
    const ports = { tcp: (server.address() as AddressInfo).port, udp: socket.address().port }
    server.close()
    socket.close()
    expect(mine).toContainEqual({
      protocol: 'tcp',
      address: '127.0.0.1',
      port: ports.tcp,
      pids: [process.pid],
    })
    expect(mine).toContainEqual({
      protocol: 'udp',
      address: '0.0.0.0',
      port: ports.udp,
      pids: [process.pid],
    })
  })

  it('of other systems are read from lsof', () => {
    const text = [
      'p10',
      'f5',
      'tIPv4',
      'PTCP',
      'n127.0.0.1:80',
      'f6',
      'tIPv6',
      'PTCP',
      'n*:443',
      'p11',
      'f7',
      'tIPv6',
      'PTCP',
      'n*:443',
      'f8',
      'tIPv4',
      'PUDP',
      'n10.0.0.1:5000->10.0.0.2:53',
    ].join('\n')
    expect(fromLsof(text)).toEqual([
      { protocol: 'tcp', address: '127.0.0.1', port: 80, pids: [10] },
      { protocol: 'tcp', address: '::', port: 443, pids: [10, 11] },
    ])
  })

  it.each([
    ['127.0.0.1', true],
    ['127.8.9.10', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['::ffff:0.0.0.0', false],
    ['100.64.0.1', false],
    ['192.168.1.1', false],
  ])('%s on loopback: %s', (address, expected) => {
    expect(isLoopback(address)).toBe(expected)
  })
})

describe('checks', () => {
  it('run side by side: one that hangs and one that throws fail alone, in their own time', async () => {
    const order: string[] = []
    const results = await runChecks([
      {
        name: 'hangs',
        limitMs: 200,
        remedy: 'restart_hostd',
        run: (signal) => {
          signal.addEventListener('abort', () => order.push('hangs was given up'))
          return new Promise(() => undefined)
        },
      },
      {
        name: 'throws',
        remedy: 'free_disk',
        run: () => {
          order.push('throws')
          throw new Error('boom')
        },
      },
      {
        name: 'good',
        remedy: 'free_disk',
        run: () => {
          order.push('good')
          return { status: 'PASS', detail: 'fine' }
        },
      },
    ])
    expect(order).toEqual(['throws', 'good', 'hangs was given up'])
    expect(results.map(({ name, status, remedy }) => [name, status, remedy])).toEqual([
      ['hangs', 'FAIL', 'restart_hostd'],
      ['throws', 'FAIL', 'free_disk'],
      ['good', 'PASS', null],
    ])
    expect(results[0]?.detail).toBe('It gave no answer within 0.2 s.')
  })
})

describe('the time without an answer', () => {
  it('is measured from the last good answer to the next', async () => {
    let asked = 0
    const serve = async (port: number) => {
      const server = createServer((_request, response) => {
        asked += 1
        response.end('{}')
      })
      await new Promise<void>((resolve) => {
        server.listen(port, '127.0.0.1', resolve)
      })
      return server
    }
    const port = await freePort()
    const first = await serve(port)
    const begun = performance.now()
    const watch = watchAvailability(`http://127.0.0.1:${port}/`)
    await until('the first answers', () => asked > 2)
    first.closeAllConnections()
    await new Promise<void>((resolve) => {
      first.close(() => resolve())
    })
    const gone = performance.now()
    await until('300 ms without a server', () => performance.now() - gone > 300)
    const second = await serve(port)
    const before = asked
    await until('answers again', () => asked > before + 1)
    const measured = await watch.stop()
    second.closeAllConnections()
    second.close()
    expect(measured).toBeGreaterThanOrEqual(300)
    expect(measured).toBeLessThanOrEqual(Math.ceil(performance.now() - begun))
  })
})
