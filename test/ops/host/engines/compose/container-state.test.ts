import { describe, expect, it } from 'vitest'
import type { Container } from '#ops/platform/docker/containers'
import { judgeContainers } from '#ops/host/engines/compose/container-state'

const at = Date.parse('2026-11-23T12:00:00.000Z')

describe('containers', () => {
  const [built, other] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`]
  const made = (change: object = {}, state: object = {}): Container =>
    ({
      Id: 'c'.repeat(64),
      Name: '/shop-web-1',
      Image: built,
      RestartCount: 0,
      Config: { Labels: { 'com.docker.compose.service': 'web' } },
      State: {
        Status: 'running',
        Running: true,
        ExitCode: 0,
        StartedAt: new Date(at - 7_200_000).toISOString(),
        Pid: 1,
        ...state,
      },
      ...change,
    }) as unknown as Container
  const judge = (...all: Container[]) =>
    judgeContainers(
      {
        project: 'shop',
        kind: 'project',
        services: [{ name: 'web' }] as never,
        images: { web: built },
      },
      all,
      at,
    )
  const recently = new Date(at - 60_000).toISOString()
  it.each([
    ['runs as it was brought up', made(), 'good', /runs for 120 min, 0 restarts/],
    [
      'starts again and again',
      made({ RestartCount: 4 }, { StartedAt: recently }),
      'wrong',
      /in a loop: restarted 4 times/,
    ],
    [
      'waits to be started again',
      made({ RestartCount: 1 }, { Status: 'restarting', ExitCode: 3 }),
      'wrong',
      /in a loop.*last exit code 3/,
    ],
    [
      'was started again once, just now',
      made({ RestartCount: 1 }, { StartedAt: recently }),
      'odd',
      /restarted 1 times/,
    ],
    ['was started again once, long ago', made({ RestartCount: 1 }), 'good', /1 restarts/],
    [
      'has exited',
      made({}, { Status: 'exited', Running: false, ExitCode: 0 }),
      'wrong',
      /is exited with exit code 0/,
    ],
    ['is paused', made({}, { Status: 'paused' }), 'wrong', /is paused/],
    [
      'is unhealthy',
      made({}, { Health: { Status: 'unhealthy', Log: [{ Output: 'connection refused' }] } }),
      'wrong',
      /unhealthy: connection refused/,
    ],
    [
      'runs another image',
      made({ Image: other }),
      'wrong',
      /runs the image bbbbbbbbbbbb, but aaaaaaaaaaaa/,
    ],
    [
      'belongs to no service of the record',
      made({ Config: { Labels: { 'com.docker.compose.service': 'old' } } }),
      'odd',
      /is in no record/,
    ],
  ] as const)('judges one that %s', (_what, container, where, detail) => {
    expect(judge(container)[where].join('; ')).toMatch(detail)
  })
  it('reports a service without a container, and does not count what `compose run` started', () => {
    expect(
      judge(
        made({
          Config: {
            Labels: { 'com.docker.compose.service': 'web', 'com.docker.compose.oneoff': 'True' },
          },
        }),
      ).wrong,
    ).toEqual(['web has no container'])
  })
})
