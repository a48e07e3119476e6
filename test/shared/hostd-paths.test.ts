import { describe, expect, it } from 'vitest'
import { hostdPaths, pathWith } from '#shared/hostd-paths'
import { openApiDocument } from '../../hostd/openapi.ts'

describe('the paths of hostd', () => {
  it('are those of the routes that it serves, and no others', async () => {
    const { paths } = (await openApiDocument()) as { paths: Record<string, unknown> }
    const served = Object.keys(paths)
    const listed = Object.values(hostdPaths).map((path) =>
      path.replace(/:(\w+)/, '{$1}').replace('*', '{path}'),
    )
    expect(served.toSorted()).toEqual(listed.toSorted())
  })

  it('are filled with an id that cannot leave its place in them', () => {
    expect(pathWith(hostdPaths.runCancel, 'a1')).toBe('/api/runs/a1/cancel')
    expect(pathWith(hostdPaths.storeShip, '../x?y')).toBe('/api/ship/..%2Fx%3Fy')
    expect(pathWith(hostdPaths.runEvents, "$&$'")).toBe("/api/runs/%24%26%24'/events")
  })
})
