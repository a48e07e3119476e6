import { isAbsolute, relative } from 'node:path'

/** Is `path` the folder itself or below it, by its text? Links are not followed. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith('../') && !isAbsolute(way)
}
